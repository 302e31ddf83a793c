"""out_learner_comparisons → what learners earn over plain ones where none of them was trained."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class LearnerComparison:
    """One row of out_learner_comparisons, in reward per round."""

    learner: str
    baseline: str
    n_segments: int
    difference: float | None
    lower: float | None
    upper: float | None
    holm_p_value: float | None
    is_claimed: bool


def learner_comparisons(rows: pl.DataFrame, domain: str) -> tuple[LearnerComparison, ...]:
    """Return a domain's comparisons, those with the commonest baseline first, and of those the best first."""
    own = rows.filter(pl.col("domain") == domain)
    records = [
        LearnerComparison(**row)
        for row in own.select(list(LearnerComparison.__dataclass_fields__)).to_dicts()
    ]
    met = Counter(record.baseline for record in records)
    return tuple(
        sorted(records, key=lambda r: (-met[r.baseline], r.baseline, -(r.difference or 0.0), r.learner))
    )


def claims(comparisons: Sequence[LearnerComparison]) -> dict[str, tuple[str, ...]]:
    """Return learner → the plain ones that it is said to beat, by name."""
    claimed = sorted((c.learner, c.baseline) for c in comparisons if c.is_claimed)
    return {learner: tuple(b for name, b in claimed if name == learner) for learner, _ in claimed}
