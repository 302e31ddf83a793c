"""Disk: room for a night, and folders that can be written and whose files can be replaced in one step."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

from features.errors import closed
from features.exit_statuses import ExitStatus
from flows.disk_space import existing
from flows.health.check import Check, fault, printed_bytes, warning, well

ROOM, FOLDERS = "disk", "folders"

# The rows in the warehouse, the same rows once more while a night builds its marts, and what it publishes.
TIMES_THE_LOGS = 3


def check_room(data: Path, n_free: int, n_logs: int) -> Check:
    """Compare the free bytes on the disk of a data folder with the bytes of the shop's logs."""
    needed = TIMES_THE_LOGS * n_logs
    said = (
        f"{printed_bytes(n_free)} are free at {data}; {TIMES_THE_LOGS} times the logs are "
        f"{printed_bytes(needed)}."
    )
    advice = "Free some room, keep fewer nights ([retention] and `metacart prune`), or move paths.data."
    if n_free < n_logs:
        return fault(ROOM, said, advice, ExitStatus.RESOURCES)
    return warning(ROOM, said, advice) if n_free < needed else well(ROOM, said)


def check_folders(folders: Iterable[Path]) -> list[Check]:
    """Make, rename and remove a folder inside each of these, or the nearest parent that exists.

    Nights are written beside their places and renamed there, so a folder that can't do this can't hold them.
    """
    looked_at = sorted({existing(folder) for folder in folders})
    found = []
    for folder in looked_at:
        try:
            _rename_once(folder)
        except OSError as error:
            advice = "Check its owner, its mode and its file system."
            found.append(
                fault(FOLDERS, f"{folder} can't be used: {closed(str(error))}", advice, ExitStatus.ACCESS)
            )
    devices = {folder.stat().st_dev for folder in looked_at}
    if found:
        return found
    where = "one file system" if len(devices) == 1 else f"{len(devices)} file systems, each whole in its own"
    names = ", ".join(str(folder) for folder in looked_at)
    return [well(FOLDERS, f"Can be written and renamed in, on {where}: {names}.")]


def _rename_once(folder: Path) -> None:
    made = Path(tempfile.mkdtemp(prefix=".doctor-", dir=folder))
    renamed = made.with_name(f"{made.name}-renamed")
    try:
        made.rename(renamed)
    except OSError:
        made.rmdir()
        raise
    renamed.rmdir()
