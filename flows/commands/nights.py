"""The verbs about nights that were published: verify, unpublish, prune."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from features.errors import InputDataError
from flows.attempts.freshness import write_freshness
from flows.settings import read_settings
from flows.shops import CONFIG
from flows.workspace import Workspace

if TYPE_CHECKING:
    from flows.stages.verify import Verified


def verify(run_id: str | None = None, /, *, config: Path = CONFIG) -> None:
    """Compare the published nights with their checksums. Exit status 65: one is not as it was published.

    Parameters
    ----------
    run_id
        One night; by default all of the shop.
    """
    from flows.stages.verify import verify as run_verify

    verified = run_verify(Workspace(read_settings(config)), run_id)
    if not verified:
        print("No night is published yet.")
    for night in verified:
        found = ", ".join(f"{name} is {how}" for name, how in night.faults.items())
        print(f"{night.folder.name}: {found or _as_published(night)}")
    if faulty := [night.folder.name for night in verified if night.faults]:
        raise InputDataError(
            f"{', '.join(faulty)}: not as published. `metacart run --as-of DAY`, with the day of the night, "
            "writes missing and changed files anew; a file that is unknown is not metacart's: move it away."
        )


def _as_published(night: "Verified") -> str:
    if not night.n_unproven:
        return f"{night.n_files} files, all as they were published"
    return (
        f"{night.n_files - night.n_unproven} tables have the rows of the manifest; {night.n_unproven} other "
        "files have no checksums, as an earlier version published them, and can't be checked"
    )


def unpublish(run_id: str, /, *, config: Path = CONFIG) -> None:
    """Take back a night that should not have been: its tables, its report, and the days it closed.

    Parameters
    ----------
    run_id
        The night, as its folder is called.
    """
    from flows.stages.unpublish import unpublish as run_unpublish

    workspace = Workspace(read_settings(config))
    with workspace.locked():
        taken_back = run_unpublish(workspace, run_id)
        write_freshness(workspace.shop, workspace.nights)
    print(f"{run_id} is taken back; {taken_back.current or 'no night'} is current")
    for name in taken_back.files_to_read_again:
        print(f"  read again at the next ingest: {name}")


def prune(*, config: Path = CONFIG, dry_run: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Remove what the shop's [retention] no longer keeps, and shrink the warehouse file.

    Every published night does so at its end.

    Parameters
    ----------
    dry_run
        Only print what would be removed.
    """
    from flows.stages.prune import plan, prune_lines
    from flows.stages.prune import prune as run_prune

    workspace = Workspace(read_settings(config))
    with workspace.locked():
        chosen = plan(workspace)
        for line in prune_lines(chosen):
            print(line)
        if dry_run:
            print("Nothing was removed: this was a dry run.")
        else:
            run_prune(workspace, chosen)
            if chosen.published:
                write_freshness(workspace.shop, workspace.nights)
