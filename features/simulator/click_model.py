"""How people react to items: a position-based model, so that the truth of any policy is a plain sum.

    P(click | user, item, slot) = examination(slot) * attraction(user, item)
    attraction = sigmoid(base + quality(item) + deviation(segment, item) + taste(user, category))
    P(order | click) = sigmoid(order base + item term + segment term)

A click depends on its own item and slot alone, never on the other items of the slate. So the value of a
policy needs no more than its marginal probability of each item in each slot, and weighting a logged row by
the ratio of these marginals is exactly unbiased.

Source: Richardson, Dominowska & Ragno 2007, "Predicting clicks"; Chuklin, Markov & de Rijke 2015, "Click
Models for Web Search", section 3.3.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from features.errors import UsageError
from features.simulator.catalog import BRANDS, CATEGORIES, Catalog
from features.simulator.people import DEVICES, REGIONS, SEGMENTS, People
from features.simulator.settings import WorldName, WorldSettings
from features.simulator.streams import Stream, generator

Reward = Literal["click", "purchase"]

HETEROGENEITY: dict[WorldName, float] = {"homogeneous": 0.0, "mild": 0.18, "strong": 0.34}
"""Standard deviation of the segment deviation, in log-odds."""

CANCELLED_SHARE = 0.05
"""Share of orders cancelled later. The reward `purchase` is an order that was kept."""

_EXAMINATION = (0.95, 0.72, 0.54)
_ATTRACTION_BASE = -2.45
_QUALITY_SPREAD = 0.22
_ORDER_BASE = -1.6
_ORDER_ITEM_SPREAD = 0.4
_ORDER_SEGMENT_SPREAD = 0.2


@dataclass(frozen=True)
class ClickModel:
    """True probabilities; U users, A items, L slots.

    examination: float64[L], probability that the slot is looked at, falling.
    quality: float64[A], what all segments share, in log-odds.
    attraction: float64[U, A], probability of a click on an item that is looked at.
    order_given_click: float64[U, A], probability that a click ends in an order.
    """

    examination: NDArray[np.float64]
    quality: NDArray[np.float64]
    attraction: NDArray[np.float64]
    order_given_click: NDArray[np.float64]

    def attraction_to(self, reward: Reward) -> NDArray[np.float64]:
        """float64[U, A], probability of the reward on an item that is looked at.

        Raises UsageError for a reward other than click and purchase.
        """
        if reward == "click":
            return self.attraction
        if reward == "purchase":
            return self.attraction * self.order_given_click * (1 - CANCELLED_SHARE)
        raise UsageError(f"Reward '{reward}' is unknown. Choose click or purchase.")


def draw_click_model(settings: WorldSettings, people: People, catalog: Catalog) -> ClickModel:
    """Make the preferences of these people for these items.

    All worlds draw the same numbers and scale them, so that only heterogeneity differs between them.
    """
    random = generator(settings.seed, Stream.PREFERENCES)
    quality = _QUALITY_SPREAD * _standardize(random.normal(size=settings.items))
    deviation = HETEROGENEITY[settings.world] * _segment_deviation(catalog, random)
    log_odds = (_ATTRACTION_BASE + quality + deviation)[people.segment] + people.taste[:, catalog.category]
    order_log_odds = (
        _ORDER_BASE
        + _ORDER_ITEM_SPREAD * random.normal(size=settings.items)
        + _ORDER_SEGMENT_SPREAD * random.normal(size=(len(SEGMENTS), 1))
    )
    return ClickModel(
        examination=np.array(_EXAMINATION[: settings.slots]),
        quality=quality,
        attraction=sigmoid(log_odds),
        order_given_click=sigmoid(order_log_odds)[people.segment],
    )


def sigmoid(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability with these log-odds, 1 / (1 + exp(-x)).

    >>> sigmoid(np.array([0.0]))
    array([0.5])
    """
    return 1.0 / (1.0 + np.exp(-log_odds))


def _segment_deviation(catalog: Catalog, random: np.random.Generator) -> NDArray[np.float64]:
    """float64[G, A]: mean 0 over segments for each item, standard deviation 1 over all.

    Most of it follows from what is known of segment and item (region with category and brand, device with
    category and price), so that a segment with little data can learn from the others; the rest is its own.
    """
    by_region = (
        random.normal(size=(len(REGIONS), len(CATEGORIES)))[:, catalog.category]
        + 0.6 * random.normal(size=(len(REGIONS), len(BRANDS)))[:, catalog.brand]
    )
    by_device = (
        0.6 * random.normal(size=(len(DEVICES), len(CATEGORIES)))[:, catalog.category]
        + 0.6 * random.normal(size=(len(DEVICES), 1)) * catalog.price_level
    )
    own = 0.6 * random.normal(size=(len(SEGMENTS), len(catalog.ids)))
    mixed = np.repeat(by_region, len(DEVICES), axis=0) + np.tile(by_device, (len(REGIONS), 1)) + own
    centered = mixed - mixed.mean(axis=0)
    return np.asarray(centered / centered.std(), dtype=np.float64)


def _standardize(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((values - values.mean()) / values.std(), dtype=np.float64)
