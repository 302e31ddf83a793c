"""The shop's lock: who has it, and since when."""

import fcntl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from features.exit_statuses import ExitStatus
from flows.health.check import Check, fault, well

NAME = "lock"


@dataclass(frozen=True)
class LockState:
    """A lock file: whether a run has it now, the last run's words in it, and when it wrote them (UTC)."""

    is_held: bool
    holder: str
    since: datetime


def lock_state(path: Path) -> LockState | None:
    """Return the state of a lock file; None where no run has made it yet.

    For a moment it takes a shared lock, which waits for nobody.
    """
    if not path.is_file():
        return None
    with path.open("r", encoding="utf-8") as file:
        since = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return LockState(True, file.read().strip() or "unknown", since)
        fcntl.flock(file, fcntl.LOCK_UN)
        return LockState(False, file.read().strip() or "unknown", since)


def check_lock(path: Path, state: LockState | None) -> Check:
    """Judge a shop's lock; a file that an ended run has left is harmless."""
    if state is None:
        return well(NAME, "No run has locked this shop yet.")
    at = f"{state.since:%Y-%m-%d %H:%M} UTC"
    if state.is_held:
        return fault(
            NAME,
            f"A run has the shop since {at}: {state.holder}.",
            "Wait until it has ended, or stop that process: the lock goes with it.",
            ExitStatus.LOCKED,
        )
    return well(
        NAME,
        f"No run has the shop. {path.name} is of an ended run ({state.holder}, {at}) and harmless.",
    )
