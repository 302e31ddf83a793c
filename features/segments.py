"""Segments: which rounds are learned from together, and what happens to the small ones.

A segment is a combination of trait values, written `surface=men|device=phone`. Traits come in the order
of the configuration, the most important first: a combination with too few rounds gives up its last trait
and joins the other small ones beside it (`surface=men|device=*`), then the next, until there is enough.
What is left at the top is `everyone_else`. Boundaries are learned on the training window alone and then
applied to any row, so tomorrow's users land in the same segments.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from features.errors import UsageError

EVERYONE = "everyone"
EVERYONE_ELSE = "everyone_else"
UNKNOWN = "unknown"

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Merge:
    """A combination that was too small to stand alone: fewer than min_rounds rounds."""

    segment_id: str
    n_rounds: int
    merged_into: str
    min_rounds: int


@dataclass(frozen=True)
class Segmentation:
    """Trait combinations that stand as segments, by depth.

    kept[d]: labels made of the first d traits, for d = 0 ... len(by); a row belongs to the deepest of its
        labels that was kept.
    """

    by: tuple[str, ...]
    kept: tuple[frozenset[str], ...]
    merges: tuple[Merge, ...]

    def assign(self, rows: pl.DataFrame) -> pl.Series:
        """Return the segment_id of each row: a String series of the frame's height."""
        chosen = pl.lit(_root(self.by))
        for depth in range(1, len(self.by) + 1):
            label = _label(self.by, depth)
            chosen = pl.when(label.is_in(list(self.kept[depth]))).then(label).otherwise(chosen)
        # with_columns, because a select of nothing but a literal would give one row
        return rows.with_columns(chosen.alias("segment_id"))["segment_id"]


def fit_segments(training_rows: pl.DataFrame, by: Sequence[str], min_rounds: int) -> Segmentation:
    """Learn which trait combinations have at least `min_rounds` rows, merging the others upward.

    Raises UsageError if a trait is no column of the rounds.

    >>> rows = pl.DataFrame({"surface": ["a"] * 5 + ["b"] * 2, "device": ["p"] * 4 + ["q"] + ["p", "q"]})
    >>> found = fit_segments(rows, ["surface", "device"], min_rounds=2)
    >>> [(merge.segment_id, merge.merged_into) for merge in found.merges]  # doctest: +NORMALIZE_WHITESPACE
    [('surface=a|device=q', 'everyone_else'), ('surface=b|device=p', 'surface=b|device=*'),
     ('surface=b|device=q', 'surface=b|device=*')]
    """
    missing = [trait for trait in by if trait not in training_rows.columns]
    if missing:
        raise UsageError(
            f"segments.by asks for {', '.join(missing)}, which no round or user has. "
            f"Choose from: {', '.join(sorted(training_rows.columns))}."
        )
    kept: list[frozenset[str]] = [frozenset() for _ in range(len(by) + 1)]
    left = training_rows.select(_label(by, depth).alias(str(depth)) for depth in range(1, len(by) + 1))
    small: dict[str, int] = {}
    for depth in range(len(by), 0, -1):
        counts = left.group_by(str(depth)).len()
        enough = counts.filter(pl.col("len") >= min_rounds)[str(depth)].to_list()
        kept[depth] = frozenset(enough)
        if depth == len(by):
            small = dict(counts.filter(pl.col("len") < min_rounds).sort(str(depth)).iter_rows())
        left = left.filter(~pl.col(str(depth)).is_in(enough))
    without_merges = Segmentation(tuple(by), tuple(kept), ())
    destinations = _destinations(training_rows, without_merges)
    merges = tuple(
        Merge(label, n_rounds, destinations[label], min_rounds) for label, n_rounds in small.items()
    )
    return Segmentation(tuple(by), tuple(kept), merges)


@dataclass(frozen=True, eq=False)
class HistoryClusters:
    """Groups of similar history, numbered from the lightest to the heaviest, so that a name means something.

    center, spread: float64[d], of the history columns; means: float64[k, d], of the clusters, standardized.
    """

    center: Floats
    spread: Floats
    means: Floats

    def assign(self, history: pl.DataFrame) -> pl.Series:
        """Return the trait `cluster` of each row, the number of the nearest mean, as String."""
        scaled = (history.to_numpy().astype(np.float64) - self.center) / self.spread
        # |x - m|^2 less |x|^2, which is the same for all clusters
        distance = (self.means**2).sum(axis=1) - 2.0 * scaled @ self.means.T
        return pl.Series("cluster", distance.argmin(axis=1)).cast(pl.String)


def fit_clusters(training_history: pl.DataFrame, clusters: int, seed: int) -> HistoryClusters:
    """Learn at most `clusters` groups by k-means over the damped history of the training rounds.

    training_history: float columns without nulls, one row per round; fewer kinds of history than clusters
    give as many clusters as there are kinds.
    """
    values = training_history.to_numpy().astype(np.float64)
    center, spread = values.mean(axis=0), values.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    scaled = (values - center) / spread
    n_clusters = min(clusters, len(np.unique(scaled, axis=0)))
    means = KMeans(n_clusters, n_init=4, random_state=seed).fit(scaled).cluster_centers_
    lightest_first = np.argsort((means * spread + center).sum(axis=1), kind="stable")
    return HistoryClusters(center, spread, means[lightest_first])


def _root(by: Sequence[str]) -> str:
    return EVERYONE_ELSE if by else EVERYONE


def _label(by: Sequence[str], depth: int) -> pl.Expr:
    """Write the first `depth` traits of a row; a star stands for each trait given up."""
    parts = [
        pl.concat_str(pl.lit(f"{trait}="), pl.col(trait).cast(pl.String).fill_null(UNKNOWN))
        if position < depth
        else pl.lit(f"{trait}=*")
        for position, trait in enumerate(by)
    ]
    return pl.concat_str(parts, separator="|")


def _destinations(rows: pl.DataFrame, segmentation: Segmentation) -> dict[str, str]:
    by = segmentation.by
    if not by:
        return {}
    pairs = rows.select(_label(by, len(by)).alias("label")).with_columns(segmentation.assign(rows))
    return dict(pairs.unique().iter_rows())
