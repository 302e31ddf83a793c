"""The personal taste of each user, which no attribute shows, only the pages that the user views and clicks.

    log-odds of a click: + spread t(user)' p(item)            t ~ N(0, I), |p| = 1, K dimensions
    P(next page = item | user) ∝ exp(popularity(item) + keenness spread t(user)' p(item))

The same taste affects the pages that people open by themselves and the clicks on items that they are shown,
so viewed pages predict clicks. Items are in clusters, half of them in a cluster of their category: a taste
for one item is information on its neighbors, and a category explains only part of it. Positions have length
1, so the variance of taste is the same for all items, and no item is better on average.

Source: the organic and bandit sessions of Rohde et al. 2018, "RecoGym: A Reinforcement Learning Environment
for the problem of Product Recommendation in Online Advertising", arXiv:1808.00720; the mathematics is simpler
here, and the code is new.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.simulator.catalog import CATEGORIES
from features.simulator.settings import WorldSettings
from features.simulator.streams import Stream, generator

PERSONAL_SPREAD = 0.95
"""Standard deviation over users of the part of taste in an item's log-odds of a click."""

_DIMENSIONS = 5
_CLUSTERS_AT_HOME = 2  # in each category
_AT_HOME_SHARE = 0.5
_APART = 0.6  # distance of an item from the center of its cluster, where the center has length 1
_KEENNESS = 1.5
_POPULARITY_SPREAD = 1.0
_POPULARITY_QUALITY = 0.7  # correlation of page views with the quality that all share


@dataclass(frozen=True)
class PersonalTaste:
    """U users, A items, K dimensions.

    of_user: float64[U, K], t times its spread.
    of_item: float64[A, K], p, each row of length 1.
    popularity: float64[A], log of the frequency of page views relative to the mean item's, the same for all
        users: a long tail, because a page is opened in proportion to the exponential.
    """

    of_user: NDArray[np.float64]
    of_item: NDArray[np.float64]
    popularity: NDArray[np.float64]

    def log_odds(self, user: NDArray[np.int64], item: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the part of taste in the log-odds of a click, for positions that broadcast together."""
        total = np.zeros(np.broadcast_shapes(user.shape, item.shape))
        # one dimension after another: no table of users, items and dimensions, and the same sum for any shape
        for wants, offers in zip(self.of_user.T, self.of_item.T, strict=True):
            total += wants[user] * offers[item]
        return total

    def browsing_weights(self, user: NDArray[np.int64], item: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return weights in proportion to each user's probability of opening each item's page, float64[n, m].

        user: int64[n]. item: int64[m], the items whose pages can be viewed.
        """
        drawn_to = self.popularity[item] + _KEENNESS * self.log_odds(user[:, None], item)
        return np.asarray(np.exp(drawn_to - drawn_to.max(axis=1, keepdims=True)))


def draw_personal_taste(
    settings: WorldSettings, category: NDArray[np.int64], quality: NDArray[np.float64]
) -> PersonalTaste | None:
    """Make the taste of the people of these settings, None where the world has none.

    category: int64[A], position in CATEGORIES. quality: float64[A], of all users, on any scale.
    """
    if settings.world != "personal":
        return None
    random = generator(settings.seed, Stream.PERSONAL_TASTE)
    known = quality / quality.std()
    own = random.normal(size=len(quality))
    return PersonalTaste(
        of_user=PERSONAL_SPREAD * random.normal(size=(settings.users, _DIMENSIONS)),
        of_item=_positions(category, random),
        popularity=_POPULARITY_SPREAD
        * (_POPULARITY_QUALITY * known + np.sqrt(1 - _POPULARITY_QUALITY**2) * own),
    )


def _positions(category: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.float64]:
    """Draw positions of items, float64[A, K], rows of length 1: the cluster's center and a step from it."""
    clusters = _CLUSTERS_AT_HOME * len(CATEGORIES)
    centers = _unit(random.normal(size=(clusters, _DIMENSIONS)))
    centers = _unit(centers - centers.mean(axis=0))
    at_home = random.random(len(category)) < _AT_HOME_SHARE
    near = _CLUSTERS_AT_HOME * category + random.integers(0, _CLUSTERS_AT_HOME, len(category))
    cluster = np.where(at_home, near, random.integers(0, clusters, len(category)))
    return _unit(centers[cluster] + _APART * _unit(random.normal(size=(len(category), _DIMENSIONS))))


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))
