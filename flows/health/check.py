"""A check: what was looked at, whether it is well, and what to do next where it is not."""

from dataclasses import dataclass
from typing import Literal

from features.exit_statuses import ExitStatus

Level = Literal["ok", "warning", "fault"]


@dataclass(frozen=True)
class Check:
    """The result of one check.

    level: a night runs with a warning; with a fault it fails, or does not do what it should.
    found: a sentence; advice: what to do next, empty where all is well.
    exit_status: of a night that meets the fault.
    """

    name: str
    level: Level
    found: str
    advice: str = ""
    exit_status: ExitStatus = ExitStatus.DONE


def well(name: str, found: str) -> Check:
    """Return a check without anything to do."""
    return Check(name, "ok", found)


def warning(name: str, found: str, advice: str) -> Check:
    """Return a check of something that does not stop a night."""
    return Check(name, "warning", found, advice)


def fault(name: str, found: str, advice: str, exit_status: ExitStatus) -> Check:
    """Return a check of something that stops a night, or makes it wrong."""
    return Check(name, "fault", found, advice, exit_status)


def printed_bytes(n_bytes: float) -> str:
    """Return a size in the largest unit that leaves at least 1, by powers of 1,000.

    >>> printed_bytes(0), printed_bytes(1_500), printed_bytes(71_234_000_000)
    ('0 bytes', '1.5 kB', '71.2 GB')
    """
    for power, unit in ((4, "TB"), (3, "GB"), (2, "MB"), (1, "kB")):
        if n_bytes >= 1000**power:
            return f"{n_bytes / 1000**power:.1f} {unit}"
    return f"{n_bytes:.0f} bytes"
