"""What `metacart run --dry-run` prints."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime

from flows.health.check import printed_bytes
from flows.settings import Settings
from flows.stages.catch_up import missed_days
from flows.stages.dry_run import DryRun, dry_run
from flows.workspace import Workspace


def print_dry_run(settings: Settings, as_of: date | None, *, as_json: bool) -> None:
    """Print what a night would begin with, as lines or as one JSON object."""
    planned = dry_run(settings, as_of, datetime.now(UTC))
    if as_json:
        print(json.dumps(asdict(planned), default=date.isoformat))
    else:
        print("\n".join(dry_run_lines(planned)))


def print_missed(settings: Settings, longest: int, *, as_json: bool) -> None:
    """Print which nights `--catch-up` would make up, as lines or as one JSON object.

    Raises UsageError as the command itself would.
    """
    planned = dry_run(settings, None, datetime.now(UTC))
    days = missed_days(Workspace(settings), planned.as_of or planned.latest, longest)
    if as_json:
        content = {"shop": planned.shop, "missed": days, "is_certain": planned.as_of is not None}
        print(json.dumps(content, default=date.isoformat))
    else:
        print("\n".join(missed_lines(planned, days)))


def missed_lines(planned: DryRun, days: Sequence[date]) -> list[str]:
    """Return the lines for a reader; days: the missed nights."""
    size = printed_bytes(sum(file.n_bytes for file in planned.to_load))
    unsure = f"; {len(planned.to_load)} files ({size}) are to be loaded, and may end earlier"
    return [
        f"{planned.shop}: {len(days)} missed nights{unsure if planned.to_load else ''}",
        *(f"  {day}" for day in days),
        "Nothing was loaded or written: this was a dry run.",
    ]


def dry_run_lines(planned: DryRun) -> list[str]:
    """Return the lines for a reader."""
    size = printed_bytes(sum(file.n_bytes for file in planned.to_load))
    n_loaded = len(planned.files) - len(planned.to_load)
    day = (
        f"the night of {planned.as_of}"
        if planned.as_of
        else f"the night of the newest day in the files, {planned.latest} at the latest"
    )
    return [
        f"{planned.shop}: {day}",
        *(f"  {file.state:<12} {file.name}, {printed_bytes(file.n_bytes)}" for file in planned.to_load),
        f"  to load: {len(planned.to_load)} of {len(planned.files)} files, {size}; {n_loaded} are loaded",
        f"  disk: {printed_bytes(planned.free_bytes)} are free",
        "Nothing was loaded or written: this was a dry run. What is wrong with a line shows when it is read.",
    ]
