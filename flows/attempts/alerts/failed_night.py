"""A failed night in words that can be mailed: what failed, where, what to do, and what counts until then.

No word of it is of a person: addresses and numbers in sentences are masked, and an error that nobody foresaw
is named by its class and its place alone, since its text may quote a line of a log.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from features.deidentify.scrub import scrub
from features.exit_statuses import ExitStatus
from flows.attempts.alerts.advice import advice_for

FORM = "%Y-%m-%d %H:%M UTC"


@dataclass(frozen=True)
class LastGoodNight:
    """The published night that counts meanwhile."""

    as_of: date
    run_id: str
    published_at: datetime | None


@dataclass(frozen=True)
class FailedNight:
    """An attempt at a night that has failed; times are in UTC.

    as_of: the date that was asked for; None for the newest day in the logs. sentence: what went wrong.
    stage: where. config, folder: the configuration, and the folder of the published nights. again: the
    command that starts it again. last_lines: the last lines of what happened, the oldest first.
    """

    shop: str
    as_of: date | None
    exit_status: int
    sentence: str
    stage: str
    began_at: datetime
    failed_at: datetime
    host: str
    config: Path | None
    folder: Path
    again: str
    last_good: LastGoodNight | None = None
    last_lines: Sequence[str] = ()

    @property
    def meaning(self) -> str:
        """The line of the table of exit statuses."""
        known = {int(status): status.meaning for status in ExitStatus}
        return known.get(self.exit_status, "an unknown exit status")

    @property
    def subject(self) -> str:
        """The subject of a mail."""
        night = f"of {self.as_of}" if self.as_of else "of the newest day"
        return f"metacart: {self.shop}, the night {night} has failed ({self.exit_status}: {self.meaning})"

    @property
    def body(self) -> str:
        """The text of a mail."""
        minutes = (self.failed_at - self.began_at).total_seconds() / 60
        parts = [
            scrub(self.sentence),
            f"What to do\n  {advice_for(self.exit_status)}\n  {scrub(self.again)}",
            "Where\n"
            + "".join(
                f"  {name:<14} {value}\n"
                for name, value in [
                    ("stage", self.stage),
                    ("began", f"{self.began_at:{FORM}}"),
                    ("failed", f"{self.failed_at:{FORM}}, after {minutes:.1f} minutes"),
                    ("machine", self.host),
                    ("configuration", self.config or "unknown"),
                    ("published", self.folder),
                ]
            ).rstrip(),
            f"What counts until then\n  {self._until_then}",
        ]
        if self.last_lines:
            parts.append("Last lines\n" + "\n".join(f"  {scrub(line)}" for line in self.last_lines))
        return "\n\n".join(parts) + "\n"

    @property
    def _until_then(self) -> str:
        if self.last_good is None:
            return "No night is published yet."
        at = f", published {self.last_good.published_at:{FORM}}" if self.last_good.published_at else ""
        return f"The night of {self.last_good.as_of} ({self.last_good.run_id}{at}) stays the current one."

    @property
    def text(self) -> str:
        """The file: subject, an empty line, and the text."""
        return f"Subject: {self.subject}\n\n{self.body}"

    def to_json(self) -> dict[str, Any]:
        """Return the object that is posted; `text` alone is what chat programs show."""
        return {
            "text": f"{self.subject}\n\n{self.body}",
            "shop": self.shop,
            "as_of": self.as_of.isoformat() if self.as_of else None,
            "exit_status": self.exit_status,
            "meaning": self.meaning,
            "stage": self.stage,
            "began_at": self.began_at.isoformat(),
            "failed_at": self.failed_at.isoformat(),
            "last_good_as_of": self.last_good.as_of.isoformat() if self.last_good else None,
            "last_good_run_id": self.last_good.run_id if self.last_good else None,
        }
