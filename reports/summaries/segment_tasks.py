"""out_segment_tasks → what each segment brought to learning."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from features.contracts.findings import Finding, from_json


@dataclass(frozen=True)
class SegmentTask:
    """One row of out_segment_tasks."""

    domain: str
    segment_id: str
    n_support: int
    n_query: int
    n_holdout: int
    n_users: int
    split: str | None
    support_until: datetime | None
    query_until: datetime | None
    status: str
    findings: tuple[Finding, ...]

    @property
    def n_rounds(self) -> int:
        """Rounds of all three windows."""
        return self.n_support + self.n_query + self.n_holdout

    @property
    def has_windows(self) -> bool:
        """Whether its rounds were split by time; those of a segment merged earlier count as support."""
        return self.status != "merged" or self.n_query + self.n_holdout > 0


def segment_tasks(rows: pl.DataFrame, domain: str) -> tuple[SegmentTask, ...]:
    """Return the domain's tasks, the largest first."""
    chosen = rows.filter(pl.col("domain") == domain).select(list(SegmentTask.__dataclass_fields__))
    records = [SegmentTask(**row | {"findings": from_json(row["findings"])}) for row in chosen.to_dicts()]
    return tuple(sorted(records, key=lambda task: (-task.n_rounds, task.segment_id)))


def by_status(tasks: Iterable[SegmentTask]) -> dict[str, int]:
    """Return how many segments were used, merged, or left to the pooled policy."""
    counts = Counter(task.status for task in tasks)
    return {status: counts[status] for status in ("used", "merged", "pooled_only") if counts[status]}
