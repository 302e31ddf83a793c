"""Prune: what a shop's [retention] no longer keeps leaves work, published nights, quarantine and warehouse.

The current night, its work folder and the ledger of holdouts always stay. Folders that don't have the name of
a night are not metacart's, and stay too.
"""

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from features.warehouse.erase import rewrite_store
from features.warehouse.outputs import remove_outputs
from features.warehouse.retention import (
    drop_old_rejected_lines,
    first_kept_receipt,
    free_bytes,
    old_rejected_lines,
)
from features.warehouse.store import open_store
from flows.published_nights import PublishedNight, is_run_id
from flows.workspace import Workspace

FEWEST_FREE_BYTES = 64 * 2**20
"""With less free space, writing the warehouse anew is not worth the time."""


@dataclass(frozen=True)
class Outdated:
    """What is no longer kept.

    work: folders of nights. published: nights. quarantine_from: rejected lines of files received before this
    day leave, n_rejected_lines of them; None keeps all. shrinks: whether the warehouse is written anew;
    n_free_bytes of its n_bytes are free.
    """

    work: tuple[Path, ...]
    published: tuple[PublishedNight, ...]
    quarantine_from: date | None
    n_rejected_lines: int
    n_free_bytes: int
    n_bytes: int
    shrinks: bool


def plan(workspace: Workspace) -> Outdated:
    """Return what is no longer kept. Call it with the shop locked."""
    kept = workspace.settings.retention
    first, n_lines, n_free, n_bytes = None, 0, 0, 0
    if workspace.warehouse.is_file():
        with open_store(workspace.warehouse) as connection:
            if kept.quarantine_days:
                first = first_kept_receipt(connection, kept.quarantine_days)
            n_lines = old_rejected_lines(connection, first) if first else 0
            n_free, n_bytes = free_bytes(connection)
    return Outdated(
        _old_work(workspace, kept.work_nights),
        _old_nights(workspace, kept.published_nights),
        first,
        n_lines,
        n_free,
        n_bytes,
        shrinks=n_free > max(FEWEST_FREE_BYTES, kept.shrink_above * n_bytes),
    )


def prune(workspace: Workspace, outdated: Outdated) -> None:
    """Remove it. After a crash the next one goes on: nothing that stays depends on what leaves."""
    for folder in outdated.work:
        shutil.rmtree(folder)
    if outdated.published:
        workspace.nights.withdraw(outdated.published)
    if outdated.published or outdated.n_rejected_lines:
        with open_store(workspace.warehouse) as connection:
            left = {night.run_id for night in workspace.nights.all()}
            for run_id in {night.run_id for night in outdated.published} - left:
                remove_outputs(connection, run_id)
            if outdated.quarantine_from and outdated.n_rejected_lines:
                drop_old_rejected_lines(connection, outdated.quarantine_from)
    if outdated.shrinks:
        rewrite_store(workspace.warehouse)


def prune_lines(outdated: Outdated) -> list[str]:
    """Return a line for each kind of what leaves; none where all stays.

    >>> prune_lines(Outdated((), (), None, 0, 90_000_000, 200_000_000, shrinks=True))
    ['the warehouse file has 200 MB, 90 MB of them free: it is written anew']
    """
    lines = []
    if outdated.work:
        lines.append(f"work folders removed: {', '.join(path.name for path in outdated.work)}")
    if outdated.published:
        removed = ", ".join(night.path.name for night in outdated.published)
        lines.append(f"published nights removed: {removed}")
    if outdated.n_rejected_lines:
        lines.append(f"rejected lines of files received before {outdated.quarantine_from}: removed")
    if outdated.shrinks:
        lines.append(
            f"the warehouse file has {outdated.n_bytes / 1e6:,.0f} MB, {outdated.n_free_bytes / 1e6:,.0f} MB "
            "of them free: it is written anew"
        )
    return lines


def _old_work(workspace: Workspace, n_kept: int) -> tuple[Path, ...]:
    """Return the work folders beyond the newest, without those of the current and of the latest night."""
    current, latest = workspace.nights.current(), workspace.latest
    needed = {current.run_id if current else "", latest.run_id if latest else ""}
    nights = [folder.path for folder in workspace.night_folders if is_run_id(folder.run_id)]
    newest_first = sorted(nights, key=lambda path: (path.name[:10], path.stat().st_mtime), reverse=True)
    return tuple(path for path in newest_first[n_kept:] if path.name not in needed)


def _old_nights(workspace: Workspace, n_kept: int | None) -> tuple[PublishedNight, ...]:
    if n_kept is None:
        return ()
    current = workspace.nights.current()
    nights = workspace.nights.all()
    newest_first = sorted(nights, key=lambda night: (night.as_of, night.path.stat().st_mtime), reverse=True)
    return tuple(night for night in newest_first[n_kept:] if night != current)
