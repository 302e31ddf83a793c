"""All checks, in the order in which a night would meet their faults; they change nothing."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from features.errors import MetacartError
from features.exit_statuses import ExitStatus
from features.machine_faults import machine_fault
from flows.health.check import Check, fault, warning
from flows.health.configuration import NAME as CONFIGURATION
from flows.health.gpu import check_gpu
from flows.health.memory import available_bytes, check_memory
from flows.health.shop import ShopCheckup
from flows.health.versions import asked_versions, check_versions, installed_versions
from flows.settings import read_settings
from flows.shops import CONFIG
from flows.workspace import Workspace
from offline_rl.device_probe import probe_gpu


def checkup(config: Path, now: datetime) -> list[Check]:
    """Check the machine, and the shop where its configuration can be read.

    now: in UTC. A configuration that is missing at its default place is a warning: there may be no shop yet.
    """
    asked = asked_versions()
    return [
        *check_versions(asked, installed_versions(asked)),
        check_memory(available_bytes()),
        check_gpu(probe_gpu()),
        *_shop_checks(config, now),
    ]


def exit_status(checks: list[Check]) -> ExitStatus:
    """Return the status of the first fault; DONE without one."""
    return next((check.exit_status for check in checks if check.level == "fault"), ExitStatus.DONE)


def _shop_checks(config: Path, now: datetime) -> list[Check]:
    if config == CONFIG and not config.is_file():
        found = f"There is no {config} here, so no shop was looked at."
        advice = "Name one: `metacart doctor --config FILE`; `metacart init` writes one."
        return [warning(CONFIGURATION, found, advice)]
    try:
        settings = read_settings(config)
    except MetacartError as error:
        return [fault(CONFIGURATION, str(error), "No shop was looked at.", error.exit_status)]
    shop = ShopCheckup(config, Workspace(settings), now)
    return [check for name, look in shop.looks().items() for check in guarded(name, look)]


def guarded(name: str, look: Callable[[], list[Check]]) -> list[Check]:
    """Return the checks of a function; what stops it is a fault of that name, and the others go on."""
    try:
        return look()
    except MetacartError as error:
        return [fault(name, str(error), "", error.exit_status)]
    except OSError as error:
        known = machine_fault(error)
        status = known.exit_status if known else ExitStatus.ACCESS
        return [fault(name, str(known or error), "", status)]
