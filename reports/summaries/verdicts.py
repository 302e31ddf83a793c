"""out_verdicts → what the gate decided, for everyone and for each segment."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import polars as pl

from features.codes import ALL_SEGMENTS
from features.contracts.findings import Finding, from_json
from reports.summaries.night import DOMAINS

STANDS_OUT = 0.05
"""Of a p-value that is adjusted for all segments: the chance of even one false alarm."""


@dataclass(frozen=True)
class Verdict:
    """One row of out_verdicts; difference is candidate less strongest baseline, reward per round.

    findings: why, as the gate found it.
    """

    domain: str
    segment_id: str
    candidate: str
    champion: str
    baseline: str
    difference: float | None
    lower: float | None
    upper: float | None
    discounted_difference: float | None
    discounted_upper: float | None
    baseline_value: float | None
    n_rounds: int
    ess: float | None
    judged_from: date
    judged_to: date
    n_origins: int
    split_by: str
    verdict: str
    harm_probability: float | None
    holm_p_value: float | None
    findings: tuple[Finding, ...]

    @property
    def is_believed(self) -> bool:
        """Whether the difference is to be believed: nothing was found that makes either side a guess.

        What was promoted, or is to be tested, has passed; findings may then be about others that did not.
        """
        if self.verdict in ("promote", "test"):
            return True
        sides = (self.candidate, self.baseline)
        return not any(found.code == "cannot_be_judged" and found.subject in sides for found in self.findings)

    @property
    def sign(self) -> int:
        """+1 where the whole interval lies above zero, -1 where below, 0 where it contains zero."""
        if self.lower is not None and self.lower > 0:
            return 1
        if self.upper is not None and self.upper < 0:
            return -1
        return 0


def verdicts(rows: pl.DataFrame) -> tuple[Verdict, ...]:
    """Return the rows by domain, everyone first, then segments by name."""
    records = [
        Verdict(**row | {"findings": from_json(row["findings"])}) for row in rows.select(_FIELDS).to_dicts()
    ]
    return tuple(
        sorted(records, key=lambda v: (DOMAINS.index(v.domain), v.segment_id != ALL_SEGMENTS, v.segment_id))
    )


def for_everyone(records: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """Return the verdict over all segments together, one per domain."""
    return tuple(record for record in records if record.segment_id == ALL_SEGMENTS)


def of_segments(records: Iterable[Verdict], domain: str) -> tuple[Verdict, ...]:
    """Return the domain's verdicts of single segments."""
    return tuple(
        record for record in records if record.domain == domain and record.segment_id != ALL_SEGMENTS
    )


def harmed(records: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """Return the segments whose loss stands out among all of them, the worst first."""
    losses = [
        record
        for record in records
        if record.holm_p_value is not None
        and record.holm_p_value < STANDS_OUT
        and (record.difference or 0.0) < 0
    ]
    return tuple(sorted(losses, key=lambda v: (v.difference or 0.0, v.segment_id)))


_FIELDS = list(Verdict.__dataclass_fields__)
