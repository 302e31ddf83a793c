"""The logging policies: an outdated popularity ranking, and a nearly uniform one for some users."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.simulator.catalog import Catalog
from features.simulator.plackett_luce import slot_marginals
from features.simulator.settings import WorldSettings
from features.simulator.streams import Stream, generator

POPULARITY = "popularity-1"
EXPLORE = "explore-1"

_KNOWLEDGE = 0.7  # correlation of the outdated scores with the quality that segments share
_SHARPNESS = 1.0
_LONG_TAIL_SHARPNESS = 1.5  # where taste is personal: a few items are shown most of the time
_UNIFORM_SHARE = 0.3
_EXPLORE_UNIFORM_SHARE = 0.8


@dataclass(frozen=True)
class LoggingPolicy:
    """A Plackett-Luce policy over the available items; A items, L slots.

    version: its name in the impressions log.
    weights: float64[A], sum 1: a softmax of outdated scores, mixed with uniform.
    """

    version: str
    weights: NDArray[np.float64]
    slots: int

    @property
    def marginals(self) -> NDArray[np.float64]:
        """float64[L, A], exact probability of each item in each slot while the whole catalog is available."""
        return slot_marginals(self.weights, self.slots)

    def weights_among(self, available: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the weights, float64[A], restricted to the available items, sum 1."""
        left = self.weights * available
        return np.asarray(left / left.sum())


@dataclass(frozen=True)
class Logging:
    """The policies of the logs.

    policies: the first serves all users outside the bucket. policy_of_user: int64[U], never changes.
    """

    policies: tuple[LoggingPolicy, ...]
    policy_of_user: NDArray[np.int64]

    @property
    def versions(self) -> tuple[str, ...]:
        """The policies' names, in their order."""
        return tuple(policy.version for policy in self.policies)


def draw_logging(settings: WorldSettings, catalog: Catalog, quality: NDArray[np.float64]) -> Logging:
    """Make the policies that serve a shop whose items have this shared quality, float64[A] in log-odds.

    An item that is launched later has no outdated score: it gets the mean. Where all items have the same
    quality, the scores are chance alone.
    """
    random = generator(settings.seed, Stream.LOGGING_POLICY)
    known = quality / quality.std() if quality.any() else quality
    scores = _KNOWLEDGE * known + np.sqrt(1 - _KNOWLEDGE**2) * random.normal(size=len(quality))
    sharpness = _LONG_TAIL_SHARPNESS if settings.world == "personal" else _SHARPNESS
    preferences = np.exp(sharpness * np.where(catalog.launch_day > 0, 0.0, scores))
    explorers = generator(settings.seed, Stream.EXPLORERS).random(settings.users) < settings.explore_share
    return Logging(
        policies=(
            LoggingPolicy(POPULARITY, mixed_with_uniform(preferences, _UNIFORM_SHARE), settings.slots),
            LoggingPolicy(EXPLORE, mixed_with_uniform(preferences, _EXPLORE_UNIFORM_SHARE), settings.slots),
        ),
        policy_of_user=explorers.astype(np.int64),
    )


def mixed_with_uniform(preferences: NDArray[np.float64], uniform_share: float) -> NDArray[np.float64]:
    """Normalize positive preferences and mix them with the uniform distribution.

    >>> mixed_with_uniform(np.array([3.0, 1.0]), 0.2)
    array([0.7, 0.3])
    """
    chosen = preferences / preferences.sum()
    return np.asarray((1 - uniform_share) * chosen + uniform_share / len(preferences))
