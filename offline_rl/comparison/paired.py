"""Paired comparisons: what a learner earns over the baselines on segments that none was trained on.

The protocol makes the same comparison in studies whose truth is known (`flows/simulations/studies`); this is
its nightly size, on the shop's own log, by the doubly robust estimate. The segment is the unit: its
difference is the mean of its rounds' paired differences, and segments count alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from offline_rl.comparison.inference import claims
from offline_rl.meta.named_learners import BASELINE, PLAIN
from offline_rl.ope.evaluated_policies import Evaluation
from offline_rl.ope.records import Floats

ESTIMATOR = "dr"


@dataclass(frozen=True)
class Comparison:
    """A learner less a baseline, in reward per round, with equal weight of all segments.

    lower, upper and the p-values are None with a single segment, which has no spread.
    """

    learner: str
    baseline: str
    n_segments: int
    difference: float
    lower: float | None = None
    upper: float | None = None
    p_value: float | None = None
    holm_p_value: float | None = None
    is_claimed: bool = False


def compare_learners(
    evaluation: Evaluation,
    policies: Sequence[str],
    segments: Sequence[int],
    *,
    resamples: int,
    confidence: float,
) -> list[Comparison]:
    """Compare every learner with every other plain one among `policies`, on these segments of an evaluation.

    The pooled reward model is what the others must beat, so it is compared with and has no row of its own.
    The p-values of one learner are adjusted for all that it is compared with. No segment, no comparison.
    """
    if not segments:
        return []
    values = {policy: segment_values(evaluation, policy, segments) for policy in policies}
    plain = [learner.name for learner in PLAIN if learner.name in values]
    found: list[Comparison] = []
    for learner in policies:
        if learner != BASELINE.name:
            # Two policies of the same parameters may differ in the last places of their probabilities.
            gains = {
                name: _without_rounding(values[learner] - values[name], evaluation.resolution)
                for name in plain
                if name != learner
            }
            found += _against(learner, gains, resamples, confidence)
    return found


def segment_values(evaluation: Evaluation, policy: str, segments: Sequence[int]) -> Floats:
    """Return the doubly robust value of a policy in each of these segments, float64[G]."""
    estimators = [estimator.name for estimator in evaluation.estimators]
    places = [evaluation.segments.index(segment) for segment in segments]
    of_policy = evaluation.values[evaluation.policies.index(policy), estimators.index(ESTIMATOR)]
    return np.asarray(of_policy[places], dtype=np.float64)


def _against(
    learner: str, gains: Mapping[str, Floats], resamples: int, confidence: float
) -> list[Comparison]:
    """Compare one learner with each baseline; gains: baseline → difference of each segment."""
    if any(len(gain) < 2 for gain in gains.values()):
        return [Comparison(learner, name, len(gain), float(gain.mean())) for name, gain in gains.items()]
    against = {name: [gain] for name, gain in gains.items()}
    return [
        Comparison(
            learner=learner,
            baseline=name,
            n_segments=found.n_segments,
            difference=found.difference.mean,
            lower=found.difference.lower,
            upper=found.difference.upper,
            p_value=found.difference.p_value,
            holm_p_value=found.holm_p_value,
            is_claimed=found.is_claimed,
        )
        for name, found in claims(against, resamples, confidence).items()
    ]


def _without_rounding(gain: Floats, resolution: float) -> Floats:
    return np.where(np.abs(gain) < resolution, 0.0, gain)
