"""Simultaneous bands: intervals that hold all together."""

import numpy as np

from offline_rl.ope.bootstrap import Interval
from offline_rl.ope.records import Floats


def simultaneous_bands(values: Floats, resampled: Floats, confidence: float) -> tuple[Interval, ...]:
    """Bands V_p ± c s_p that hold all P truths at once with probability `confidence`.

    s_p: standard deviation of the resampled values [P, B]; c: quantile of max_p |V_pb − V_p| / s_p over the
    resamples b, which must be shared by all p. Values that move together need a smaller c than Bonferroni's.
    A value that does not vary has a band of no width. Resamples without some value are left out and counted.

    Raises ValueError unless 0 < confidence < 1.
    Source: Romano & Wolf 2005; Montiel Olea & Plagborg-Møller 2019, "Simultaneous confidence bands".

    A value and its double move as one, so c is that of either alone:

    >>> draws = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    >>> one, double = simultaneous_bands(np.zeros(2), np.stack([draws, 2 * draws]), 0.75)
    >>> one.upper, double.upper
    (2.0, 4.0)
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence:g}: give a share between 0 and 1, such as 0.95.")
    identified = ~np.isnan(values)
    defined = np.isfinite(resampled[identified].sum(axis=0))
    n_undefined = int(np.count_nonzero(~defined))
    bands = np.full((2, len(values)), np.nan)
    if identified.any() and defined.any():
        centers, draws = values[identified], resampled[identified][:, defined]
        spread = draws.std(axis=1)
        scores = np.divide(
            np.abs(draws - centers[:, np.newaxis]),
            spread[:, np.newaxis],
            out=np.zeros_like(draws),
            where=spread[:, np.newaxis] > 0,
        )
        half = np.quantile(scores.max(axis=0), confidence) * spread
        bands[:, identified] = centers - half, centers + half
    return tuple(Interval(float(lower), float(upper), n_undefined) for lower, upper in bands.T)
