"""The reactions of people to items: a position-based click model, in which the value of a policy is a sum.

    P(click | user, item, slot, day) = examination(slot) * attraction(user, item, day)
    attraction = sigmoid(base + level(day) + quality(item)
                         + deviation(user, item, day) + taste(user, category) + personal(user, item))
    P(order | click) = sigmoid(order base + item term + segment term)
    E[revenue | order] = pieces * price(item),   E[margin | order] = pieces * (price - cost)(item)

A click depends on its own item and slot alone, never on the other items of the slate. So the value of a
policy needs no more than its marginal probability of each item in each slot, and weighting a logged row by
the ratio of these marginals is exactly unbiased.

Source: Richardson, Dominowska & Ragno 2007, "Predicting clicks"; Chuklin, Markov & de Rijke 2015, "Click
Models for Web Search", section 3.3.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from features.errors import UsageError
from features.simulator.catalog import Catalog
from features.simulator.people import People
from features.simulator.personal_taste import PersonalTaste, draw_personal_taste
from features.simulator.preferences import Preferences, draw_preferences
from features.simulator.seasonality import Seasonality
from features.simulator.settings import WorldSettings
from features.simulator.streams import Stream, generator

ItemReward = Literal["click", "purchase", "revenue", "margin"]

CANCELLED_SHARE = 0.05
"""Share of orders cancelled later. The reward `purchase` is an order that was kept."""

PIECES_PER_ORDER = 1.2
"""Mean number of pieces of an order, the same for all items and people."""

_EXAMINATION = (0.95, 0.72, 0.54, 0.41, 0.31)
_ATTRACTION_BASE = -2.45
_QUALITY_SPREAD = 0.22
_LONG_TAIL_QUALITY_SPREAD = 0.5  # where taste is personal
_ORDER_BASE = -1.6
_ORDER_ITEM_SPREAD = 0.4
_ORDER_SEGMENT_SPREAD = 0.2


@dataclass(frozen=True)
class ClickModel:
    """True probabilities; U users, A items, C categories, G segments, L slots.

    examination: float64[L], probability that the slot is examined, falling.
    quality: float64[A], the part of the log-odds that all segments share.
    preferences: the part of the log-odds that differs between segments.
    season: moves all clicks of a day.
    segment: int64[U] of each user. category: int64[A] of each item.
    taste: float64[U, C], of each user, in log-odds.
    personal: the taste of each user, item by item; None where there is no such taste.
    order_given_click: float64[G, A], probability that a click ends in an order.
    order_revenue, order_margin: float64[A], mean of an order that is kept, in the currency's main unit.

    No table of users and items is kept: a large shop would not fit.
    """

    examination: NDArray[np.float64]
    quality: NDArray[np.float64]
    preferences: Preferences
    season: Seasonality
    segment: NDArray[np.int64]
    category: NDArray[np.int64]
    taste: NDArray[np.float64]
    personal: PersonalTaste | None
    order_given_click: NDArray[np.float64]
    order_revenue: NDArray[np.float64]
    order_margin: NDArray[np.float64]

    def attraction(
        self,
        user: NDArray[np.int64],
        item: NDArray[np.int64],
        day: ArrayLike,
        reward: ItemReward = "click",
        *,
        with_taste: bool = True,
    ) -> NDArray[np.float64]:
        """Return the expected reward of an item that is examined: a probability, or an amount of money.

        user, item, day: positions and days that broadcast together, and the result has their shape:
        user[:, None] with all items gives a table, user and item of equal length a value per row.
        with_taste: False for an average user with the same attributes, which are all that the logs show.
        Raises UsageError for a reward other than these.
        """
        if reward not in get_args(ItemReward):
            raise UsageError(
                f"Reward '{reward}' is unknown. Choose one of {', '.join(get_args(ItemReward))}."
            )
        log_odds = _ATTRACTION_BASE + self.season.level(day) + self.quality[item]
        log_odds = log_odds + self.preferences.deviation(user, item, day)
        if with_taste:
            log_odds += self.taste[user, self.category[item]]
            if self.personal is not None:
                log_odds += self.personal.log_odds(user, item)
        if reward == "click":
            return sigmoid(log_odds)
        purchase = sigmoid(log_odds) * self.ends_in_order(user, item) * (1 - CANCELLED_SHARE)
        if reward == "purchase":
            return purchase
        return purchase * (self.order_revenue if reward == "revenue" else self.order_margin)[item]

    def ends_in_order(self, user: NDArray[np.int64], item: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the probability that a click ends in an order, kept or cancelled later."""
        return np.asarray(self.order_given_click[self.segment[user], item])

    def slot_positions(self, slot: ArrayLike, rows: int) -> NDArray[np.int64]:
        """Return the position in `examination` of the slot of each row, int64[rows].

        slot: int[rows], or one for all rows, counted from 1 as in the log.
        Raises UsageError for a slot that doesn't exist.
        """
        slots, last = np.broadcast_to(np.asarray(slot, dtype=np.int64), (rows,)), len(self.examination)
        if rows and (slots.min() < 1 or slots.max() > last):
            raise UsageError(f"Slots count from 1 to {last}; got {slots.min()} to {slots.max()}.")
        return slots - 1


def draw_click_model(
    settings: WorldSettings, people: People, catalog: Catalog, season: Seasonality
) -> ClickModel:
    """Make the preferences of these people for these items."""
    random = generator(settings.seed, Stream.PREFERENCES)
    spread = _LONG_TAIL_QUALITY_SPREAD if settings.world == "personal" else _QUALITY_SPREAD
    # In a null world every item is as attractive as any other to everybody, and ends in an order as often.
    differs = float(settings.world != "null")
    quality = differs * spread * _standardize(random.normal(size=settings.items))
    order_log_odds = (
        _ORDER_BASE
        + differs * _ORDER_ITEM_SPREAD * random.normal(size=settings.items)
        + differs * _ORDER_SEGMENT_SPREAD * random.normal(size=(len(people.segments), 1))
    )
    return ClickModel(
        examination=np.array(_EXAMINATION[: settings.slots]),
        quality=quality,
        preferences=draw_preferences(settings, people, catalog, random),
        season=season,
        segment=people.segment,
        category=catalog.category,
        taste=differs * people.taste,
        personal=draw_personal_taste(settings, catalog.category, quality),
        order_given_click=sigmoid(order_log_odds),
        order_revenue=PIECES_PER_ORDER * catalog.price_cents / 100,
        order_margin=PIECES_PER_ORDER * (catalog.price_cents - catalog.cost_cents) / 100,
    )


def sigmoid(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probability with these log-odds, 1 / (1 + exp(-x)).

    >>> sigmoid(np.array([0.0]))
    array([0.5])
    """
    return 1.0 / (1.0 + np.exp(-log_odds))


def _standardize(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((values - values.mean()) / values.std(), dtype=np.float64)
