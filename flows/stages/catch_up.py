"""Catch up: the days for which no night is published since the newest one that is."""

from datetime import date

from features.errors import UsageError
from flows.complete_days import DAY
from flows.stage_events import Follower
from flows.stages.ingest import ingest
from flows.stages.stage_order import Stopwatch
from flows.workspace import Workspace


def newest_day_in_logs(workspace: Workspace, follower: Follower) -> date:
    """Load the new files, and return the newest day for which a night can run.

    The missed nights find their files loaded. Raises what an ingest raises.
    """
    with workspace.locked(), Stopwatch(follower).stage("ingest"):
        return ingest(workspace, None).as_of


def missed_days(workspace: Workspace, newest: date, longest: int) -> list[date]:
    """Return the days after the newest published night and up to `newest`, the oldest first.

    Raises UsageError where no night is published yet, and where more than `longest` are missed.
    """
    published = workspace.last_night()
    if published is None:
        raise UsageError(
            f"{workspace.shop} has no published night yet, so none was missed. Start with `metacart run`, or "
            "name the days with --from and --to."
        )
    missed = [published + n * DAY for n in range(1, (newest - published).days + 1)]
    if len(missed) > longest:
        raise UsageError(
            f"{workspace.shop} has missed {len(missed)} nights, from {missed[0]} to {missed[-1]}: more than "
            f"{longest}. Ask for that many with `--catch-up {len(missed)}`, or run the newest one alone with "
            "`metacart run`."
        )
    return missed
