"""out_recommendation_quality → each ranker on the last window, and the one that serves."""

from dataclasses import dataclass
from datetime import date

import polars as pl

METRIC, CUTOFF = "ndcg", 10
"""What readers see first; the table has all metrics."""


@dataclass(frozen=True)
class RankerScore:
    """A ranker's mean over users, its interval, and its difference to popularity (None for popularity).

    is_served: whether it serves tomorrow.
    """

    ranker: str
    value: float
    lower: float | None
    upper: float | None
    difference: float | None
    difference_lower: float | None
    difference_upper: float | None
    hit_rate: float | None
    is_served: bool


@dataclass(frozen=True)
class MeasuredRankers:
    """The rankers of the last window, the best first. first_day, last_day: of the window.

    n_tried: rankers that were compared before, on the window that chose one of them; 0 where none did.
    """

    scores: tuple[RankerScore, ...]
    n_users: int
    first_day: date
    last_day: date
    n_tried: int

    @property
    def served(self) -> RankerScore | None:
        """The ranker that serves."""
        return next((score for score in self.scores if score.is_served), None)


def measured_rankers(rows: pl.DataFrame) -> MeasuredRankers | None:
    """Return what the table says of its last window; None where it has no rows."""
    of = rows.filter((pl.col("metric") == METRIC) & (pl.col("cutoff") == CUTOFF))
    last = of.filter(pl.col("window_from") == pl.col("window_from").max())
    if last.is_empty():
        return None
    hits = rows.filter((pl.col("metric") == "hit_rate") & (pl.col("cutoff") == CUTOFF)).select(
        "ranker", "window_from", hit_rate="value"
    )
    found = last.join(hits, on=["ranker", "window_from"], how="left").sort("value", descending=True)
    names = [name for name in RankerScore.__dataclass_fields__ if name != "is_served"]
    return MeasuredRankers(
        tuple(
            RankerScore(**{name: row[name] for name in names}, is_served=row["is_chosen"])
            for row in found.to_dicts()
        ),
        n_users=last["n_users"][0],
        first_day=last["window_from"][0].date(),
        last_day=last["window_until"][0].date(),
        n_tried=of.filter(pl.col("window_from") < last["window_from"][0]).height,
    )
