"""A night of the shop: visits, impressions, clicks and orders.

Most clicks are within minutes of the impression; clicks and orders are never more than a day after it. So the
results of a night's visits may happen on the next day.
"""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.simulator.browsing import browsed_pages
from features.simulator.catalog import CURRENCY_CODE
from features.simulator.click_model import CANCELLED_SHARE, PIECES_PER_ORDER
from features.simulator.moments import DAY_SECONDS, draw_seconds, numbered, times
from features.simulator.parts import parts
from features.simulator.plackett_luce import draw_slates
from features.simulator.served_slates import ServedSlates
from features.simulator.shop_day import SURFACE, ShopDay
from features.simulator.streams import Stream, generator
from features.simulator.world import World

_CLICK_MINUTES = 3.0
_LATE_CLICK_SHARE = 0.05
_LATEST_CLICK_SECONDS = 22 * 60 * 60
_ORDER_MINUTES = 20.0
_CART_WITHOUT_ORDER_SHARE = 0.15
_ORGANIC_VIEWS_PER_VISIT = 0.4


@dataclass(frozen=True)
class ShopNight:
    """The logs of the visits of one day, in contract columns; events and orders may be on the next day."""

    candidate_sets: pl.DataFrame
    impressions: pl.DataFrame
    events: pl.DataFrame
    purchases: pl.DataFrame


@dataclass(frozen=True)
class _Visits:
    """Visits in order of time; n of them.

    user: int64[n], position. second: int64[n], of the day. slate: int64[n, L], positions of items.
    """

    user: NDArray[np.int64]
    second: NDArray[np.int64]
    slate: NDArray[np.int64]


def simulate_shop_night(world: World, day: ShopDay, served: ServedSlates | None = None) -> ShopNight:
    """Simulate the visits of one day; the day's number selects the random stream.

    served: the slates of a published table that acts on this day. The same people visit with and without it.
    """
    random = generator(world.settings.seed, Stream.VISITS, day.number)
    visits = _draw_visits(world, day, random)
    if served is not None:
        visits = _with_served(visits, served)
    shown = _shown(world, visits, day, served)
    clicked = _clicked(world, shown, visits, day, random)
    purchases = _purchases(world, clicked, random)
    taste = world.click_model.personal
    views = (
        _organic_views(world, visits, day, random)
        if taste is None
        else browsed_pages(world, taste, day, visitor=visits.user, second=visits.second)
    )
    events = pl.concat([_click_events(clicked), views])
    return ShopNight(
        candidate_sets=day.candidate_set(pl.Series(world.item_ids)),
        impressions=shown.with_columns(
            surface=pl.lit(SURFACE),
            context=pl.lit(None, dtype=pl.String),
        ),
        events=events.sort("occurred_at", "event_id"),
        purchases=purchases.sort("ordered_at", "order_id"),
    )


def _draw_visits(world: World, day: ShopDay, random: np.random.Generator) -> _Visits:
    user = random.permutation(np.repeat(np.arange(len(day.visit_rate)), random.poisson(day.visit_rate)))
    second = draw_seconds(len(user), random)
    slate = np.empty((len(user), world.settings.slots), dtype=np.int64)
    served_by = world.logging.policy_of_user[user]
    for policy, weights in enumerate(day.weights):
        visits = np.flatnonzero(served_by == policy)
        for some in parts(len(visits), len(weights)):
            slate[visits[some]] = draw_slates(weights, len(visits[some]), world.settings.slots, random)
    return _Visits(user, second, slate)


def _with_served(visits: _Visits, served: ServedSlates) -> _Visits:
    is_served = served.is_served[visits.user]
    slate = np.where(is_served[:, None], served.item[visits.user], visits.slate)
    return replace(visits, slate=slate)


def _shown(world: World, visits: _Visits, day: ShopDay, served: ServedSlates | None) -> pl.DataFrame:
    """Return one row per visit and slot, visit by visit."""
    n, slots = visits.slate.shape
    slot = np.tile(np.arange(slots), n)
    visit = np.repeat(np.arange(n), slots)
    user, item = visits.user[visit], visits.slate.ravel()
    policy = world.logging.policy_of_user[user]
    own = pl.DataFrame(
        {
            "session_id": numbered(day.date, "v", visit),
            "slot": slot + 1,
            "shown_at": times(day.date, visits.second[visit]),
            "user_id": world.people.ids.at(user),
            "item_id": world.catalog.ids.at(item),
            "propensity": day.marginals[policy, slot, item],
            "policy_version": pl.Series(world.logging.versions).gather(policy),
            "candidate_set_id": pl.repeat(day.candidate_set_id, len(user), eager=True),
        }
    ).with_columns(impression_id=pl.format("{}-{}", "session_id", "slot"))
    if served is None:
        return own
    by_table = {
        "propensity": pl.Series(served.propensity[user, slot]),
        "policy_version": pl.Series(served.versions, dtype=pl.String).gather(served.version[user]),
        "candidate_set_id": pl.repeat(served.candidate_set_id, len(user), dtype=pl.String, eager=True),
    }
    is_served = pl.Series(served.is_served[user])
    return own.with_columns(
        pl.when(is_served).then(column).otherwise(name).alias(name) for name, column in by_table.items()
    )


def _clicked(
    world: World, shown: pl.DataFrame, visits: _Visits, day: ShopDay, random: np.random.Generator
) -> pl.DataFrame:
    """Return the clicked impressions, with positions of user and item and the time of the click."""
    n_visits, slots = visits.slate.shape
    user, item = np.repeat(visits.user, slots), visits.slate.ravel()
    attraction = world.click_model.attraction(user, item, day.number)
    # A table of yesterday may show what is sold out today: nobody can click it.
    attraction = np.where(day.available[item], attraction, 0.0)
    clicked = random.random(len(item)) < np.tile(world.click_model.examination, n_visits) * attraction
    user, item = user[clicked], item[clicked]
    n = int(clicked.sum())
    quick = random.exponential(_CLICK_MINUTES * 60, n)
    late = random.uniform(0, _LATEST_CLICK_SECONDS, n)
    delay = np.where(random.random(n) < _LATE_CLICK_SHARE, late, quick).astype(np.int64)
    is_order = random.random(n) < world.click_model.ends_in_order(user, item)
    return shown.filter(clicked).with_columns(
        item=item,
        is_order=is_order,
        has_cart=is_order | (random.random(n) < _CART_WITHOUT_ORDER_SHARE),
        clicked_at=pl.col("shown_at")
        + pl.duration(seconds=pl.lit(pl.Series(1 + np.minimum(delay, _LATEST_CLICK_SECONDS)))),
    )


def _click_events(clicked: pl.DataFrame) -> pl.DataFrame:
    """Return the events of clicks: each opens the item's page, and some add the item to the cart then."""
    steps = {"click": 0, "view": 1, "add_to_cart": 30}
    return pl.concat(
        [
            (clicked.filter("has_cart") if event_type == "add_to_cart" else clicked).select(
                event_id=pl.format("{}-{}", "impression_id", pl.lit(event_type)),
                occurred_at=pl.col("clicked_at") + pl.duration(seconds=seconds),
                user_id="user_id",
                session_id="session_id",
                item_id="item_id",
                event_type=pl.lit(event_type),
                impression_id="impression_id",
            )
            for event_type, seconds in steps.items()
        ]
    )


def _organic_views(world: World, visits: _Visits, day: ShopDay, random: np.random.Generator) -> pl.DataFrame:
    """Return views of item pages from search: without an impression, but by the user's taste.

    The page of a sold-out item can still be viewed, that of an item before its launch can't.
    """
    visit = np.repeat(np.arange(len(visits.user)), random.poisson(_ORGANIC_VIEWS_PER_VISIT, len(visits.user)))
    user = visits.user[visit]
    launched = np.flatnonzero(world.catalog.launch_day <= day.number)
    chance = random.random(len(visit))
    item = np.empty(len(visit), dtype=np.int64)
    for some in parts(len(visit), len(launched)):
        attraction = world.click_model.attraction(user[some, None], launched, day.number)
        reach = np.cumsum(attraction, axis=1)
        item[some] = launched[(reach < chance[some, None] * reach[:, -1:]).sum(axis=1)]
    seconds = np.minimum(visits.second[visit] + random.integers(10, 600, len(visit)), DAY_SECONDS - 1)
    return pl.DataFrame(
        {
            "event_id": numbered(day.date, "o", np.arange(len(visit))),
            "occurred_at": times(day.date, seconds),
            "user_id": world.people.ids.at(user),
            "session_id": numbered(day.date, "v", visit),
            "item_id": world.catalog.ids.at(item),
            "event_type": pl.repeat("view", len(visit), eager=True),
            "impression_id": pl.repeat(None, len(visit), dtype=pl.String, eager=True),
        }
    )


def _purchases(world: World, clicked: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    """Return orders of one line each; people buy only items that they clicked."""
    bought = clicked.filter("is_order")
    n = len(bought)
    delay = pl.lit(pl.Series(60 + random.exponential(_ORDER_MINUTES * 60, n).astype(np.int64)))
    within_a_day = pl.col("shown_at") + pl.duration(seconds=DAY_SECONDS - 1)
    return bought.select(
        order_id=pl.format("{}-order", "impression_id"),
        line=pl.lit(1, dtype=pl.Int64),
        ordered_at=pl.min_horizontal(pl.col("clicked_at") + pl.duration(seconds=delay), within_a_day),
        user_id="user_id",
        session_id="session_id",
        item_id="item_id",
        quantity=pl.Series(1 + random.poisson(PIECES_PER_ORDER - 1, n)),
        price_cents=pl.Series(world.catalog.price_cents[bought["item"].to_numpy()]),
        cost_cents=pl.lit(None, dtype=pl.Int64),
        currency_code=pl.lit(CURRENCY_CODE),
        is_cancelled=pl.Series(random.random(n) < CANCELLED_SHARE),
        is_returned=pl.lit(None, dtype=pl.Boolean),
    )
