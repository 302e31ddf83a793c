"""Who filled the slots of the logs: a popularity ranking gone stale, with some exploration."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.simulator.plackett_luce import slot_marginals
from features.simulator.settings import WorldSettings
from features.simulator.streams import Stream, generator

POLICY_VERSION = "popularity-1"

_KNOWLEDGE = 0.7  # correlation of the stale scores with the quality that segments share
_SHARPNESS = 1.0
_UNIFORM_SHARE = 0.3


@dataclass(frozen=True)
class LoggingPolicy:
    """The same for every user; A items, L slots.

    weights: float64[A], Plackett-Luce weights with sum 1: a softmax of stale scores, mixed with uniform.
    marginals: float64[L, A], exact probability of each item in each slot; the propensity of a logged row.
    """

    weights: NDArray[np.float64]
    marginals: NDArray[np.float64]


def draw_logging_policy(settings: WorldSettings, quality: NDArray[np.float64]) -> LoggingPolicy:
    """Make the policy that serves a shop whose items have this shared quality, float64[A] in log-odds."""
    random = generator(settings.seed, Stream.LOGGING_POLICY)
    known = quality / quality.std()
    scores = _KNOWLEDGE * known + np.sqrt(1 - _KNOWLEDGE**2) * random.normal(size=len(quality))
    weights = mixed_with_uniform(np.exp(_SHARPNESS * scores), _UNIFORM_SHARE)
    return LoggingPolicy(weights=weights, marginals=slot_marginals(weights, settings.slots))


def mixed_with_uniform(preferences: NDArray[np.float64], uniform_share: float) -> NDArray[np.float64]:
    """Normalize positive preferences and mix them with the uniform distribution.

    >>> mixed_with_uniform(np.array([3.0, 1.0]), 0.2)
    array([0.7, 0.3])
    """
    chosen = preferences / preferences.sum()
    return np.asarray((1 - uniform_share) * chosen + uniform_share / len(preferences))
