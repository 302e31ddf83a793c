"""A night of the shop: who came, what was shown, clicked and bought.

Clicks come mostly within minutes of the impression, clicks and orders never more than a day after it. So what
a night's visits lead to may happen on the next day.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.simulator.catalog import CURRENCY_CODE
from features.simulator.click_model import CANCELLED_SHARE
from features.simulator.logging_policy import POLICY_VERSION
from features.simulator.plackett_luce import draw_slates
from features.simulator.streams import Stream, generator
from features.simulator.world import World

SURFACE = "home"

_DAY_SECONDS = 24 * 60 * 60
# relative number of visits in each hour of the day, UTC: quiet nights, busy evenings
_VISITS_BY_HOUR = (2, 1, 1, 1, 1, 2, 4, 6, 7, 7, 7, 8, 9, 8, 7, 7, 8, 9, 11, 13, 14, 12, 8, 4)
_CLICK_MINUTES = 3.0
_LATE_CLICK_SHARE = 0.05
_LATEST_CLICK_SECONDS = 22 * 60 * 60
_ORDER_MINUTES = 20.0
_CART_WITHOUT_ORDER_SHARE = 0.15
_ORGANIC_VIEWS_PER_VISIT = 0.4


@dataclass(frozen=True)
class ShopNight:
    """What the visits of one day lead to, in contract columns; events and orders may lie in the next day."""

    impressions: pl.DataFrame
    events: pl.DataFrame
    purchases: pl.DataFrame


@dataclass(frozen=True)
class _Visits:
    """Visits in order of time; n of them. user: int64[n] position; second: int64[n] of the day."""

    user: NDArray[np.int64]
    second: NDArray[np.int64]


def simulate_shop_night(world: World, day: int, night: date) -> ShopNight:
    """Let people visit on one day; `day` counts nights from 0 and picks the random numbers."""
    random = generator(world.settings.seed, Stream.VISITS, day)
    visits = _draw_visits(world, random)
    slates = draw_slates(world.logging_policy.weights, len(visits.user), world.settings.slots, random)
    shown = _shown(world, visits, slates, night)
    clicked = _clicked(world, shown, visits, slates, random)
    purchases = _purchases(world, clicked, random)
    events = pl.concat([_click_events(clicked), _organic_views(world, visits, night, random)])
    return ShopNight(
        impressions=shown.with_columns(
            surface=pl.lit(SURFACE),
            policy_version=pl.lit(POLICY_VERSION),
            candidate_set_id=pl.lit(None, dtype=pl.String),
            context=pl.lit(None, dtype=pl.String),
        ),
        events=events.sort("occurred_at", "event_id"),
        purchases=purchases.sort("ordered_at", "order_id"),
    )


def draw_seconds(n: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Seconds of the day at which n things happen, int64[n] in rising order, more of them in the evening."""
    hourly = np.array(_VISITS_BY_HOUR) / sum(_VISITS_BY_HOUR)
    hours = random.choice(len(hourly), n, p=hourly)
    return np.sort(hours * 3600 + random.integers(0, 3600, n))


def times(night: date, seconds: NDArray[np.int64]) -> pl.Series:
    """Moments of a day as UTC datetimes."""
    moments = np.datetime64(night.isoformat(), "us") + seconds * np.timedelta64(1_000_000, "us")
    return pl.Series(moments).dt.replace_time_zone("UTC")


def _draw_visits(world: World, random: np.random.Generator) -> _Visits:
    user = np.repeat(np.arange(len(world.user_ids)), random.poisson(world.people.visit_rate))
    return _Visits(user=random.permutation(user), second=draw_seconds(len(user), random))


def _shown(world: World, visits: _Visits, slates: NDArray[np.int64], night: date) -> pl.DataFrame:
    """One row per visit and slot, visit by visit."""
    n, slots = slates.shape
    slot = np.tile(np.arange(slots), n)
    visit = np.repeat(np.arange(n), slots)
    items = slates.ravel()
    return pl.DataFrame(
        {
            "session_id": _numbered(night, "v", visit),
            "slot": slot + 1,
            "shown_at": times(night, visits.second[visit]),
            "user_id": world.people.ids.at(visits.user[visit]),
            "item_id": world.catalog.ids.at(items),
            "propensity": world.logging_policy.marginals[slot, items],
        }
    ).with_columns(impression_id=pl.format("{}-{}", "session_id", "slot"))


def _clicked(
    world: World, shown: pl.DataFrame, visits: _Visits, slates: NDArray[np.int64], random: np.random.Generator
) -> pl.DataFrame:
    """The impressions that were clicked, with positions of user and item and the time of the click."""
    user = np.repeat(visits.user, slates.shape[1])
    item = slates.ravel()
    probability = (
        np.tile(world.click_model.examination, len(slates)) * world.click_model.attraction[user, item]
    )
    clicked = random.random(len(item)) < probability
    n = int(clicked.sum())
    quick = random.exponential(_CLICK_MINUTES * 60, n)
    late = random.uniform(0, _LATEST_CLICK_SECONDS, n)
    delay = np.where(random.random(n) < _LATE_CLICK_SHARE, late, quick).astype(np.int64)
    is_order = random.random(n) < world.click_model.order_given_click[user, item][clicked]
    return shown.filter(clicked).with_columns(
        item=item[clicked],
        is_order=is_order,
        has_cart=is_order | (random.random(n) < _CART_WITHOUT_ORDER_SHARE),
        clicked_at=pl.col("shown_at")
        + pl.duration(seconds=pl.lit(pl.Series(1 + np.minimum(delay, _LATEST_CLICK_SECONDS)))),
    )


def _click_events(clicked: pl.DataFrame) -> pl.DataFrame:
    """Each click opens the item's page at once; some people then put it into the cart."""
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


def _organic_views(world: World, visits: _Visits, night: date, random: np.random.Generator) -> pl.DataFrame:
    """Item pages that people reach by search: no impression led there, but they show the user's taste."""
    visit = np.repeat(np.arange(len(visits.user)), random.poisson(_ORGANIC_VIEWS_PER_VISIT, len(visits.user)))
    user = visits.user[visit]
    reach = np.cumsum(world.click_model.attraction, axis=1)[user]
    item = (reach < random.random(len(visit))[:, None] * reach[:, -1:]).sum(axis=1)
    seconds = np.minimum(visits.second[visit] + random.integers(10, 600, len(visit)), _DAY_SECONDS - 1)
    return pl.DataFrame(
        {
            "event_id": _numbered(night, "o", np.arange(len(visit))),
            "occurred_at": times(night, seconds),
            "user_id": world.people.ids.at(user),
            "session_id": _numbered(night, "v", visit),
            "item_id": world.catalog.ids.at(item),
            "event_type": pl.repeat("view", len(visit), eager=True),
            "impression_id": pl.repeat(None, len(visit), dtype=pl.String, eager=True),
        }
    )


def _purchases(world: World, clicked: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    """Orders of one line each; people buy only what they clicked."""
    bought = clicked.filter("is_order")
    n = len(bought)
    delay = pl.lit(pl.Series(60 + random.exponential(_ORDER_MINUTES * 60, n).astype(np.int64)))
    within_a_day = pl.col("shown_at") + pl.duration(seconds=_DAY_SECONDS - 1)
    return bought.select(
        order_id=pl.format("{}-order", "impression_id"),
        line=pl.lit(1, dtype=pl.Int64),
        ordered_at=pl.min_horizontal(pl.col("clicked_at") + pl.duration(seconds=delay), within_a_day),
        user_id="user_id",
        session_id="session_id",
        item_id="item_id",
        quantity=pl.Series(1 + random.poisson(0.2, n)),
        price_cents=pl.Series(world.catalog.price_cents[bought["item"].to_numpy()]),
        currency_code=pl.lit(CURRENCY_CODE),
        is_cancelled=pl.Series(random.random(n) < CANCELLED_SHARE),
    )


def _numbered(night: date, letter: str, numbers: NDArray[np.int64]) -> pl.Series:
    """Ids such as 20260105-v000042: unique over all nights, and in order of time within one."""
    digits = pl.Series(numbers).cast(pl.String).str.zfill(6)
    return f"{night:%Y%m%d}-{letter}" + digits
