"""The clock: no log can be newer than now."""

from datetime import datetime, timedelta

from features.exit_statuses import ExitStatus
from flows.health.check import Check, fault, warning, well

NAME = "clock"

# Between machines, clocks differ by seconds; a day is more than any zone that a clock was set to by mistake.
TOLERANCE, FAR = timedelta(minutes=5), timedelta(days=1)

_ADVICE = (
    "Set the machine's clock (`timedatectl`), or ask who writes the logs: nights end with yesterday, UTC."
)


def check_clock(now: datetime, newest: dict[str, datetime]) -> Check:
    """Compare the clock with times that have passed.

    now: in UTC. newest: what it is of → its newest time in UTC, such as a log file's time of writing.
    """
    said = f"It is {now:%Y-%m-%d %H:%M} UTC"
    what = max(newest, key=lambda name: newest[name], default=None)
    if what is None:
        return well(NAME, f"{said}; there is no log to compare with.")
    ahead = newest[what] - now
    if ahead <= TOLERANCE:
        return well(NAME, f"{said}; nothing in the logs is newer.")
    found = f"{said}, but {what} is of {newest[what]:%Y-%m-%d %H:%M} UTC."
    return fault(NAME, found, _ADVICE, ExitStatus.INPUT) if ahead > FAR else warning(NAME, found, _ADVICE)
