"""Inference: what a paired difference says about other segments and other seeds.

Every seed makes a study of its own: a world, its logs, its split, its training. So segments are nested in
seeds, and the bootstrap draws seeds with replacement and within each drawn seed its segments. Rows are not
drawn again: true values have no noise of rows, and the noise of estimates differs between segments, so that
drawing segments draws it too. A night is a single seed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from features.contracts.outputs import FEWEST_SEGMENTS
from offline_rl.ope.records import Floats
from offline_rl.ope.segments.multiplicity import holm

SIGNIFICANT = 0.05
"""Level of significance: a claim needs an adjusted p-value below it."""


@dataclass(frozen=True)
class Difference:
    """A mean paired difference, the ends of its interval, and the p-value of no difference."""

    mean: float
    lower: float
    upper: float
    p_value: float


def resampled_means(by_seed: Sequence[Floats], resamples: int, seed: int = 0) -> Floats:
    """Return the means of B resamples, float64[B]; by_seed: for each seed the differences of its segments.

    A resample's mean is the mean over drawn seeds of the mean over drawn segments: segments count alike
    within a seed, and seeds count alike. The draws depend on the sizes alone, so comparisons are paired.
    """
    random = np.random.default_rng(seed)
    sizes = np.array([len(of_seed) for of_seed in by_seed])
    table = np.zeros((len(by_seed), sizes.max()))
    for row, of_seed in zip(table, by_seed, strict=True):
        row[: len(of_seed)] = of_seed
    total = np.zeros(resamples)
    for _ in by_seed:
        drawn = random.integers(0, len(by_seed), resamples)
        place = (random.random((resamples, sizes.max())) * sizes[drawn, None]).astype(np.int64)
        counted = np.arange(sizes.max()) < sizes[drawn, None]
        total += (table[drawn[:, None], place] * counted).sum(axis=1) / sizes[drawn]
    return total / len(by_seed)


def difference(by_seed: Sequence[Floats], resamples: int = 2000, confidence: float = 0.95) -> Difference:
    """Return the paired difference with its percentile interval and two-sided bootstrap p-value.

        p = 2 min(#{resampled <= 0} + 1, #{resampled >= 0} + 1) / (B + 1), at most 1

    Source: Efron & Tibshirani 1993, chapters 13 and 16; the added one, Davison & Hinkley 1997, section 4.2.

    >>> difference([np.zeros(3), np.zeros(3)], resamples=10)
    Difference(mean=0.0, lower=0.0, upper=0.0, p_value=1.0)
    """
    mean = float(np.mean([of_seed.mean() for of_seed in by_seed]))
    drawn = resampled_means(by_seed, resamples)
    lower, upper = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    tail = min(int((drawn <= 0).sum()), int((drawn >= 0).sum()))
    return Difference(mean, float(lower), float(upper), min(1.0, 2 * (tail + 1) / (resamples + 1)))


@dataclass(frozen=True)
class Claim:
    """A paired difference to one of several baselines, and whether it may be called a gain.

    holm_p_value: adjusted for all baselines together. n_segments: of the seed that has the fewest.
    """

    difference: Difference
    holm_p_value: float
    is_claimed: bool
    n_segments: int


def claims(
    gains: Mapping[str, Sequence[Floats]], resamples: int = 2000, confidence: float = 0.95
) -> dict[str, Claim]:
    """Compare one learner with each baseline.

    gains: baseline → for each seed the differences of its segments, two or more in all.
    Source: Holm 1979, see `offline_rl.ope.segments.multiplicity.holm`.
    """
    found = {name: difference(gain, resamples, confidence) for name, gain in gains.items()}
    adjusted = holm(np.array([one.p_value for one in found.values()])).tolist()
    claimed = {}
    for (name, one), p_value in zip(found.items(), adjusted, strict=True):
        n_segments = min(len(of_seed) for of_seed in gains[name])
        claimed[name] = Claim(one, p_value, is_claimed(one, p_value, n_segments), n_segments)
    return claimed


def is_claimed(found: Difference, adjusted_p_value: float, n_segments: int) -> bool:
    """Return whether a difference is a gain: all of it above 0, after adjusting, on enough segments.

    >>> is_claimed(Difference(0.2, 0.1, 0.3, 0.001), 0.004, 19)
    False
    """
    return found.lower > 0 and adjusted_p_value < SIGNIFICANT and n_segments >= FEWEST_SEGMENTS


def standard_error(by_seed: Sequence[float]) -> float:
    """Return the standard error of a mean over seeds; NaN for a single seed, which has none.

    >>> standard_error([1.0, 3.0])
    1.0
    """
    if len(by_seed) < 2:
        return float("nan")
    return float(np.std(by_seed, ddof=1) / np.sqrt(len(by_seed)))
