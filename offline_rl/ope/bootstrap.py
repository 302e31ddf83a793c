"""The cluster bootstrap: draw whole users again, sum again, and only then form values."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from offline_rl.ope.records import Floats
from offline_rl.ope.sums import Cells

COUNTS_IN_MEMORY = 2**22
"""Largest number of counts held at once (32 MB of float64)."""


@dataclass(frozen=True)
class Resamples:
    """B bootstrap resamples of C clusters, each drawing C clusters with replacement.

    One set serves all estimators, policies and segments, which pairs their differences. The counts are made
    in chunks and thrown away; the seed alone fixes them, whatever the size of the chunks.

    Raises ValueError for fewer than one cluster or resample.
    """

    n_clusters: int
    n_resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.n_clusters < 1 or self.n_resamples < 1:
            raise ValueError(
                f"{self.n_resamples} resamples of {self.n_clusters} clusters: both must be at least 1."
            )

    def counts(self) -> Iterator[Floats]:
        """Yield how often each cluster was drawn: chunks of shape [C, b] whose b add up to B."""
        rng = np.random.default_rng(self.seed)
        chunk = max(1, COUNTS_IN_MEMORY // self.n_clusters)
        for start in range(0, self.n_resamples, chunk):
            b = min(chunk, self.n_resamples - start)
            counts = np.empty((b, self.n_clusters))
            for row in counts:
                drawn = rng.integers(0, self.n_clusters, self.n_clusters)
                row[:] = np.bincount(drawn, minlength=self.n_clusters)
            yield np.ascontiguousarray(counts.T)


def resampled_sums(cells: Cells, cell_sums: Floats, resamples: Resamples) -> Floats:
    """Return sums of every resample, in the row order of `Cells.by_segment`.

    cell_sums: [cells, k]. Returns shape [B, 1 + G, k]. The log is resampled as a whole, so the number of
    clusters that a segment gets varies as it would in another week.
    """
    chunks = []
    transposed = np.ascontiguousarray(cell_sums.T)
    for counts in resamples.counts():
        by_segment = np.stack([transposed[:, span] @ counts[cells.clusters(span)] for span in cells.spans()])
        whole = by_segment.sum(axis=0, keepdims=True)
        chunks.append(np.moveaxis(np.concatenate([whole, by_segment]), 2, 0))
    return np.concatenate(chunks)


@dataclass(frozen=True)
class Interval:
    """Ends of an interval, and how many resamples identified nothing and had to be left out of it."""

    lower: float
    upper: float
    n_undefined: int = 0


def percentile_interval(value: float, resampled: Floats, confidence: float) -> Interval:
    """Return percentile interval of resampled values [B], stretched where needed to hold the estimate itself.

    Resampled values are made from resampled sums. Resampling the rounds of a ratio after dividing them by the
    sample's Σ w instead leaves the denominator's luck out, and gives intervals up to 4 times too wide.

    Raises ValueError unless 0 < confidence < 1. Ends are NaN where no resample identifies a value.
    Source: Efron & Tibshirani 1993, chapter 13.

    >>> percentile_interval(2.0, np.array([1.0, 2.0, 3.0, 4.0, 5.0]), 0.5)
    Interval(lower=2.0, upper=4.0, n_undefined=0)
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence:g}: give a share between 0 and 1, such as 0.95.")
    defined = resampled[~np.isnan(resampled)]
    n_undefined = len(resampled) - len(defined)
    if np.isnan(value) or len(defined) == 0:
        return Interval(np.nan, np.nan, n_undefined)
    tail = (1 - confidence) / 2
    lower, upper = np.quantile(defined, [tail, 1 - tail])
    return Interval(float(min(lower, value)), float(max(upper, value)), n_undefined)
