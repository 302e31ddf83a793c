"""What becomes of an attempt at a night: `freshness.json` and `last_failure.txt` beside the published nights.

A report that fails is a warning: it never takes the place of the night's own failure. The next night that
becomes the current one renames `last_failure.txt`: a file of that name means that somebody has to act.
"""

import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from features.errors import MetacartError
from features.exit_statuses import ExitStatus
from flows.attempts.alerts.delivery import deliver
from flows.attempts.alerts.failed_night import FailedNight, LastGoodNight
from flows.attempts.failures import Failure
from flows.attempts.freshness import LastAttempt, write_freshness
from flows.file_modes import SHARED_FILE, make_shared_folder
from flows.json_files import write_text
from flows.operating_settings import Alerts
from flows.progress import LinePrinter
from flows.published_nights import PublishedNights

LAST_FAILURE = "last_failure.txt"
RESOLVED_FAILURE = "last_failure.resolved.txt"

SECONDS_FOR_ALERTS = 15.0
SECONDS_FOR_ALERTS_OF_A_STOP = 2.0
"""Whoever stops a process waits only seconds before killing it."""

STOPS = (ExitStatus.INTERRUPTED, ExitStatus.TERMINATED)


@dataclass(frozen=True)
class Attempted:
    """Whose night is attempted, by which configuration; again: the command that starts it again."""

    shop: str
    nights: PublishedNights
    alerts: Alerts = field(repr=False)
    config: Path
    again: str

    @property
    def last_failure(self) -> Path:
        """The file of the last failure, in words."""
        return self.nights.path / LAST_FAILURE


def report_failure(
    of: Attempted, failure: Failure, attempt: LastAttempt, last_lines: Sequence[str], warn: LinePrinter
) -> None:
    """Write what has failed to the shop's files, and send the alerts of its configuration.

    A run that found the shop locked leaves freshness.json to the run that has the lock.
    """
    failed = failed_night(of, failure, attempt, last_lines)
    try:
        make_shared_folder(of.nights.path)
        if failure.exit_status != ExitStatus.LOCKED:
            write_freshness(of.shop, of.nights, attempt)
        write_text(of.last_failure, failed.text, SHARED_FILE)
    except (OSError, MetacartError) as error:
        warn(f"warning: {of.nights.path} can't be written: {error}")
    seconds = SECONDS_FOR_ALERTS_OF_A_STOP if failure.exit_status in STOPS else SECONDS_FOR_ALERTS
    deliver(of.alerts, failed, warn, seconds=seconds)


def note_begin(of: Attempted, attempt: LastAttempt, warn: LinePrinter) -> None:
    """Write to the shop's files that an attempt is on its way."""
    try:
        write_freshness(of.shop, of.nights, attempt)
    except (OSError, MetacartError) as error:
        warn(f"warning: {of.nights.path} can't be written: {error}")


def note_success(of: Attempted, folder: Path | None, attempt: LastAttempt, warn: LinePrinter) -> None:
    """Write a good attempt to the shop's files; one that made the current night puts the last failure away.

    folder: of the published night; None where the attempt was not to publish one.
    """
    try:
        write_freshness(of.shop, of.nights, attempt)
        current = of.nights.current()
        if current is not None and current.path == folder and of.last_failure.is_file():
            of.last_failure.replace(of.nights.path / RESOLVED_FAILURE)
    except (OSError, MetacartError) as error:
        warn(f"warning: {of.nights.path} can't be written: {error}")


def failed_night(
    of: Attempted, failure: Failure, attempt: LastAttempt, last_lines: Sequence[str] = ()
) -> FailedNight:
    """Return a failure with all that a reader far away needs to know."""
    return FailedNight(
        shop=of.shop,
        as_of=attempt.as_of,
        exit_status=failure.exit_status,
        sentence=failure.sentence_for_mail,
        stage=attempt.stage,
        began_at=attempt.began_at,
        failed_at=attempt.ended_at or attempt.began_at,
        host=socket.gethostname(),
        config=of.config,
        folder=of.nights.path,
        again=of.again,
        last_good=_last_good(of.nights),
        last_lines=last_lines,
    )


def _last_good(nights: PublishedNights) -> LastGoodNight | None:
    current = nights.current()
    if current is None:
        return None
    return LastGoodNight(current.as_of, current.run_id, current.written_at)
