"""The tail of the importance weights: how heavy it is, and how much of the weight it holds.

A weight of index k has moments of order below 1/k only. Above k = 0.5 the variance of an average of weights
is infinite, above 0.7 no log of practical size makes the average settle, above 1 it has no mean to settle at.
"""

from math import ceil, inf, nan, sqrt

import numpy as np

from offline_rl.ope.records import FLOAT32_SLACK, Floats

FEWEST_TO_FIT = 5
"""Fewest weights beyond the cutoff that a tail is fitted to, as in Vehtari et al. 2024."""

PRIOR_WEIGHT, PRIOR_INDEX = 10, 0.5
"""The weakly informative prior of Vehtari et al. 2024: as if 10 more weights had had an index of 0.5."""

TOP_SHARE = 0.01
"""Share of the rounds, those of the largest weights, whose share of all weight is reported."""


def tail_size(n: int) -> int:
    """Return the number of weights that count as tail, min(0.2 n, 3 √n) rounded up.

    Source: Vehtari, Simpson, Gelman, Yao & Gabry 2024, "Pareto smoothed importance sampling".

    >>> tail_size(100), tail_size(1_000_000)
    (20, 3000)
    """
    return ceil(min(0.2 * n, 3 * sqrt(n)))


def pareto_k(weight: Floats) -> float:
    """Return the tail index k of n weights: of a generalized Pareto distribution fitted to the largest.

    | result | when |
    |---|---|
    | k | five or more weights lie beyond the cutoff, the largest weight outside the tail |
    | −∞ | none does: weights are equal, or the largest is shared by all of the tail; it can't be heavy |
    | NaN | one to four do: too few to know |

    Weights that differ from the cutoff by rounding alone are ties with it. k does not change when all weights
    are multiplied by a number. Linear in n, since nothing but the tail is sorted.

    Source: Vehtari, Simpson, Gelman, Yao & Gabry 2024; the fit is that of Zhang & Stephens 2009.

    >>> pareto_k(np.ones(1000))
    -inf
    >>> round(pareto_k((np.arange(1, 10_001) / 10_000) ** -0.9), 1)  # quantiles of a Pareto law with k = 0.9
    0.9
    """
    size = tail_size(len(weight))
    if size >= len(weight):
        return -inf if len(weight) and weight.min() == weight.max() else nan
    return tail_index(np.partition(weight, len(weight) - size - 1)[len(weight) - size - 1 :])


def tail_index(largest: Floats) -> float:
    """Return `pareto_k`, given the `tail_size(n)` + 1 largest weights in any order, as streams keep them."""
    cutoff = float(largest.min())
    excess = np.sort(largest[largest > cutoff * (1 + FLOAT32_SLACK)]) - cutoff
    if len(excess) == 0:
        return -inf
    return generalized_pareto_index(excess) if len(excess) >= FEWEST_TO_FIT else nan


def generalized_pareto_index(excess: Floats) -> float:
    """Return index k of a generalized Pareto distribution with ascending excesses x > 0 over its threshold.

    The posterior mean of b = −k/σ over a grid of its profile likelihood, whose prior adapts to the data:
    b_j = 1/x_max + (1 − √(m / (j − ½))) / (3 x*), j = 1..m, m = 30 + ⌊√n⌋, x* the first quartile;
    k(b) = Σ log(1 − b x) / n, likelihood exp(n (log(−b/k(b)) − k(b) − 1)). Then k is drawn towards ½ as by 10
    more excesses.

    Source: Zhang & Stephens 2009, with the sign of k turned; the prior on k is that of Vehtari et al. 2024.
    """
    n = len(excess)
    # k is free of the unit; with the largest excess as unit nothing overflows.
    x = excess / excess[-1]
    m = 30 + int(sqrt(n))
    grid = 1 + (1 - np.sqrt(m / (np.arange(m) + 0.5))) / (3 * x[int(n / 4 + 0.5) - 1])
    # At b = 0 the distribution is exponential: k is 0 and −b/k tends to 1 / mean(x).
    grid[np.abs(grid) < 1e-12] = 1e-12
    k = np.log1p(-np.outer(grid, x)).mean(axis=1)
    log_likelihood = n * (np.log(-grid / k) - k - 1)
    posterior = np.exp(log_likelihood - log_likelihood.max())
    b = float(grid @ posterior) / float(posterior.sum())
    fitted = float(np.log1p(-b * x).mean())
    return (n * fitted + PRIOR_WEIGHT * PRIOR_INDEX) / (n + PRIOR_WEIGHT)


def top_weight_share(weight: Floats) -> float:
    """Return the share of Σ w on the largest 1 % of rounds, rounded up; 0 where all weights are 0.

    It is 0.01 for equal weights, and about 0.01^(1 − k) for a Pareto tail of index k.

    >>> top_weight_share(np.r_[np.ones(99), 99.0])
    0.5
    """
    total = float(weight.sum())
    if total == 0:
        return 0.0
    top = ceil(TOP_SHARE * len(weight))
    return float(np.partition(weight, len(weight) - top)[len(weight) - top :].sum()) / total
