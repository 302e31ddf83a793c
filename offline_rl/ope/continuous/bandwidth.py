"""Choosing the bandwidth by Lepski's principle: as wide as the narrower ones don't contradict."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from offline_rl.ope.bootstrap import percentile_interval
from offline_rl.ope.continuous.kernels import Kernel
from offline_rl.ope.continuous.records import SpendRounds
from offline_rl.ope.continuous.smoothing import smoothed
from offline_rl.ope.estimators.estimator import Estimator
from offline_rl.ope.evaluation import evaluate
from offline_rl.ope.records import Floats
from offline_rl.ope.tuning.slope import choose

FEWEST_ROUNDS = 30.0
"""Effective rounds below which a bandwidth is not a candidate: an empty window would seem certain."""


@dataclass(frozen=True, eq=False)
class BandwidthChoice:
    """The bandwidth that SLOPE takes, that of honest intervals, and what every candidate said.

    interval_bandwidth: the widest candidate of at most a third of the choice (the narrowest one where none
    is). bandwidths, values, half_widths: [H], descending.
    """

    bandwidth: float
    interval_bandwidth: float
    bandwidths: Floats
    values: Floats
    half_widths: Floats


def bandwidth_grid(rounds: SpendRounds, n: int = 12) -> Floats:
    """Return n candidates: half of the scale, divided by √2 again and again."""
    widest = (rounds.upper - rounds.lower) / 2
    return widest * np.exp2(-np.arange(n) / 2)


def choose_bandwidth(
    rounds: SpendRounds,
    kernel: Kernel,
    bandwidths: Sequence[float] | Floats,
    estimator: Estimator,
    *,
    slope_confidence: float = 0.8,
    n_resamples: int = 200,
    seed: int = 0,
) -> BandwidthChoice:
    """Return the bandwidth that SLOPE takes, for an estimator over the whole log.

    Narrow kernels are nearly unbiased and vary much. SLOPE walks from the narrowest to wider ones as long as
    their values are compatible with all before. Bandwidths are the policies of one `evaluate`, so that they
    share resamples. half_widths are halves of their percentile intervals, none less than that of a wider
    kernel: a narrow one that seems certain has missed the rounds that would show its error.

    The best bandwidth balances bias and spread, so that the interval around its value misses the truth most
    of the time (see README), whether or not resamples choose again. Hence evaluate at interval_bandwidth,
    three times narrower, with a ninth of the bias, as undersmoothing does in kernel regression.

    slope_confidence: level of the half-widths that SLOPE compares.

    Raises ValueError where no candidate leaves 30 effective rounds.

    Source: Su, Srinath & Krishnamurthy 2020, "Adaptive estimator selection for off-policy evaluation" (ICML),
    whose first example is this choice; on undersmoothing Hall 1992, "The bootstrap and Edgeworth expansion",
    section 4.3.
    """
    descending = sorted({float(h) for h in bandwidths}, reverse=True)
    whole = replace(rounds, segment=np.zeros(rounds.n, dtype=np.int64))
    candidates = {str(h): smoothed(whole, kernel, h) for h in descending}
    evaluation = evaluate(candidates, [estimator], n_resamples=n_resamples, seed=seed)
    kept = [
        p
        for p, name in enumerate(candidates)
        if evaluation.diagnostics_of(name).ess >= FEWEST_ROUNDS and np.isfinite(evaluation.values[p, 0, 0])
    ]
    if not kept:
        raise ValueError(
            f"none of the bandwidths leaves {FEWEST_ROUNDS:g} effective rounds: "
            "give wider ones, or evaluate levels nearer to the logged ones."
        )
    values, resampled = evaluation.values[kept, 0, 0], evaluation.resampled[kept, 0, 0]
    intervals = [
        percentile_interval(value, each, slope_confidence)
        for value, each in zip(values, resampled, strict=True)
    ]
    half_widths = np.maximum.accumulate([(end.upper - end.lower) / 2 for end in intervals])
    # Descending bandwidths, as SLOPE walks equal half-widths from the last on.
    chosen = choose(values, half_widths)
    kept_bandwidths = np.array(descending)[kept]
    is_third = kept_bandwidths <= kept_bandwidths[chosen] / 3
    cautious = int(np.argmax(is_third)) if is_third.any() else len(kept) - 1
    return BandwidthChoice(
        bandwidth=float(kept_bandwidths[chosen]),
        interval_bandwidth=float(kept_bandwidths[cautious]),
        bandwidths=kept_bandwidths,
        values=values,
        half_widths=half_widths,
    )
