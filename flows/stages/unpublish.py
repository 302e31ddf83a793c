"""Unpublish: a night that should not have been is taken back, and its days are open again."""

from dataclasses import dataclass

from features.warehouse.outputs import remove_outputs
from features.warehouse.store import open_store
from features.warehouse.watermark import forget_refusals_of
from flows.workspace import Workspace


@dataclass(frozen=True)
class Unpublished:
    """What is left after a night was taken back.

    current: run_id of the night that counts now, if any. files_to_read_again: those with rows that came too
    late for the night's closed days; the next `metacart ingest` reads them again.
    """

    current: str | None
    files_to_read_again: tuple[str, ...]


def unpublish(workspace: Workspace, run_id: str) -> Unpublished:
    """Remove a published night: its folders, its rows in the warehouse, and the days it has closed.

    Its work folder stays, so that `metacart publish` could publish it again. Call it with the shop locked;
    after a crash, call it again. Raises UsageError where no such night is published.
    """
    withdrawn = workspace.nights.of(run_id)
    with open_store(workspace.warehouse) as connection:
        remove_outputs(connection, run_id)
        files = forget_refusals_of(connection, withdrawn[0].as_of)
    current = workspace.nights.withdraw(withdrawn)
    return Unpublished(current.run_id if current else None, files)
