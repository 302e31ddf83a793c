"""`metacart doctor`: a line for each check of the machine and the shop."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from flows.shops import CONFIG


def doctor(
    *,
    config: Path = CONFIG,
    as_json: Annotated[bool, Parameter(name="--json", negative="", help="Print one JSON object.")] = False,
) -> int:
    """Check the machine and the shop, and say what to do. Nothing is changed.

    Exit status 0 without a fault; otherwise that of the first fault, as a night would end with it.
    """
    from flows.health.checkup import checkup, exit_status

    checks = checkup(config, datetime.now(UTC))
    status = exit_status(checks)
    if as_json:
        print(json.dumps({"exit_status": status, "checks": [asdict(check) for check in checks]}))
    else:
        for check in checks:
            print(f"{check.level:<8} {check.name:<14} {check.found} {check.advice}".rstrip())
    return status
