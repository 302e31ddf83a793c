"""out_data_quality → what was loaded, what was not, and whether the lines add up."""

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from features.contracts.findings import Finding, from_json


@dataclass(frozen=True)
class RuleCount:
    """One rule that a source was checked by; lines and loaded lines are those of the source."""

    source_name: str
    rule: str
    n_rows: int
    n_loaded: int
    n_rejected: int
    findings: tuple[Finding, ...]
    example: str | None

    @property
    def rejected_share(self) -> float | None:
        """Rejected lines over lines; None without lines."""
        return self.n_rejected / self.n_rows if self.n_rows else None

    @property
    def adds_up(self) -> bool:
        """Whether this rule alone accounts for every line that was not loaded."""
        return self.n_loaded + self.n_rejected == self.n_rows


def rule_counts(rows: pl.DataFrame) -> tuple[RuleCount, ...]:
    """Return the rows, most rejected first."""
    fields = rows.select(list(RuleCount.__dataclass_fields__)).to_dicts()
    records = [RuleCount(**row | {"findings": from_json(row["findings"])}) for row in fields]
    return tuple(sorted(records, key=lambda r: (-r.n_rejected, r.source_name, not r.adds_up, r.rule)))


def sources_that_lost_lines(counts: Iterable[RuleCount]) -> frozenset[str]:
    """Return the sources without any row whose loaded and rejected lines make up the lines read.

    Each source has one row over all its rules; the rows of single rules explain only a part.
    """
    counts = list(counts)
    return frozenset(c.source_name for c in counts) - {c.source_name for c in counts if c.adds_up}
