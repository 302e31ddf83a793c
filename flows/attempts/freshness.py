"""Freshness: one file that a monitor reads, `freshness.json` beside `current.json`.

It names the newest night that is published, and the last attempt at a night with its status. An attempt
without an end is running, or was killed: then its heartbeat stands still.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime

from features.errors import UsageError
from flows.file_modes import SHARED_FILE, make_shared_folder
from flows.json_files import read_record, write_record
from flows.published_nights import PublishedNight, PublishedNights

FRESHNESS = "freshness.json"


@dataclass(frozen=True)
class LastAttempt:
    """The last attempt at a night; times are in UTC.

    as_of: the date that was asked for; None for the newest day in the logs. stage: in which it is, or ended.
    ended_at, exit_status, meaning: None while it runs.
    """

    as_of: date | None
    began_at: datetime
    stage: str
    ended_at: datetime | None = None
    exit_status: int | None = None
    meaning: str | None = None


@dataclass(frozen=True)
class Freshness:
    """How fresh a shop's decisions are: the newest published night, and the last attempt at one.

    as_of, run_id, folder, published_at: None before the first published night.
    """

    shop: str
    as_of: date | None = None
    run_id: str | None = None
    folder: str | None = None
    published_at: datetime | None = None
    last_attempt: LastAttempt | None = None


def read_freshness(nights: PublishedNights) -> Freshness | None:
    """Return what the file says; None where there is none, or where it is damaged."""
    with suppress(UsageError):
        return read_record(nights.path / FRESHNESS, Freshness)
    return None


def write_freshness(shop: str, nights: PublishedNights, attempt: LastAttempt | None = None) -> Freshness:
    """Write the file anew, in one step, and return its content.

    attempt: the last one; None keeps the one that the file names.
    """
    before = read_freshness(nights)
    current = nights.current()
    if attempt is None and before is not None:
        attempt = before.last_attempt
    fresh = Freshness(shop, last_attempt=attempt)
    if current is not None:
        fresh = replace(
            fresh,
            as_of=current.as_of,
            run_id=current.run_id,
            folder=current.path.name,
            published_at=_published_at(current, before),
        )
    make_shared_folder(nights.path)
    write_record(nights.path / FRESHNESS, fresh, SHARED_FILE)
    return fresh


def _published_at(night: PublishedNight, before: Freshness | None) -> datetime | None:
    """Return when a night was published; an erasure that has written it anew since does not count."""
    return before.published_at if before and before.folder == night.path.name else night.written_at
