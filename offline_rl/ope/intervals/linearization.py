"""Standard errors of smooth functions of sums, in the log and in each of its resamples."""

from collections.abc import Sequence

import numpy as np

from offline_rl.ope.contrast import Contrast
from offline_rl.ope.records import Floats
from offline_rl.ope.summed_log import SummedLog


def standard_error(log: SummedLog, contrast: Contrast, row: int) -> float:
    """Return the standard error over clusters, √( C / (C − 1) · Σ_g (u_g − ū)² ), u_g = ∇V(S) · S_g.

    S_g are the sums of cluster g, S those of the row, C the clusters of the log, also those without a round
    in the row. For a ratio V = A / B this is the delta method with u_g = (A_g − V B_g) / B. NaN where the
    value is not identified or C is 1.

    Source: Efron & Tibshirani 1993, section 21.5, the infinitesimal jackknife; for clusters Kish 1965.
    """
    _, of_cluster = log.clusters_of(row)
    slope = contrast.gradient(log.sums[row], _scale(of_cluster))
    influence = of_cluster[:, contrast.columns] @ slope
    n = log.cells.n_clusters
    spread = float(influence @ influence) - float(influence.sum()) ** 2 / n
    return float(np.sqrt(max(spread, 0.0) * n / (n - 1))) if n > 1 and np.isfinite(spread) else float("nan")


def resampled_standard_errors(log: SummedLog, contrasts: Sequence[Contrast], rows: Sequence[int]) -> Floats:
    """Return the standard error of each contrast in each row of each resample, shape [contrasts, rows, B].

    In a resample that draws cluster g N_g times, Σ N_g u_g² = ∇V' (Σ N_g S_g S_g') ∇V at the resample's own
    sums. The matrix in the middle is a sum of products of terms: sums again, resampled like all others.
    """
    pairs = sorted({pair for contrast in contrasts for pair in _pairs(contrast)})
    place = {pair: i for i, pair in enumerate(pairs)}
    first, second = np.array(pairs).T
    moment_of = [[place[pair] for pair in _pairs(contrast)] for contrast in contrasts]
    errors = np.empty((len(contrasts), len(rows), log.resamples.n_resamples))
    done = 0
    for counts in log.resamples.counts():
        span = slice(done, done + counts.shape[1])
        for r, row in enumerate(rows):
            clusters, of_cluster = log.clusters_of(row)
            drawn = counts[clusters]
            products = of_cluster[:, first] * of_cluster[:, second]
            # Both tall: transposed first, the product runs along memory.
            both = (np.ascontiguousarray(np.hstack([of_cluster, products]).T) @ drawn).T
            sums, moments = both[:, : of_cluster.shape[1]], both[:, of_cluster.shape[1] :]
            scale = _scale(of_cluster)
            for c, contrast in enumerate(contrasts):
                slope = contrast.gradient(sums, scale)
                errors[c, r, span] = _error(
                    slope, moments[:, moment_of[c]], sums[:, contrast.columns], log.cells.n_clusters
                )
        done = span.stop
    return errors


def _pairs(contrast: Contrast) -> list[tuple[int, int]]:
    columns = contrast.columns.tolist()
    return [(min(i, j), max(i, j)) for i in columns for j in columns]


def _scale(of_cluster: Floats) -> Floats:
    squares: Floats = np.square(of_cluster).sum(axis=0)
    return np.sqrt(squares)


def _error(slope: Floats, moments: Floats, sums: Floats, n: int) -> Floats:
    """Return √( n / (n − 1) · ∇' (M − S S' / n) ∇ ) for slopes [b, k], moments [b, k²] and sums [b, k]."""
    b, k = slope.shape
    spread: Floats = np.einsum("bi,bij,bj->b", slope, moments.reshape(b, k, k), slope)
    spread -= (slope * sums).sum(axis=1) ** 2 / n
    return np.sqrt(np.maximum(spread, 0.0) * n / max(n - 1, 1))
