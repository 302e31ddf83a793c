"""A night of ads: the creatives shown to users, and the clicks and conversions that followed."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.simulator.advertising import (
    CAMPAIGNS,
    CHANNELS,
    COST_CENTS,
    ORDER_VALUE_CENTS,
    Advertising,
)
from features.simulator.moments import draw_seconds, times
from features.simulator.shop_day import ShopDay
from features.simulator.streams import Stream, generator
from features.simulator.world import World

_ORDER_VALUE_SHAPE = 4.0


def simulate_ad_night(
    world: World, day: ShopDay, creatives: NDArray[np.float64] | None = None
) -> pl.DataFrame:
    """Show ads on one day; the day's number selects the random stream.

    A row is complete: later conversions are already counted in the row of the impression.
    creatives: of `ServedTables`.
    """
    random = generator(world.settings.seed, Stream.AD_IMPRESSIONS, day.number)
    ads = world.advertising
    n = random.poisson(day.ad_rate)
    user = random.integers(0, len(day.visit_rate), n)
    segment = world.people.segment[user]
    if creatives is None:
        creative = _draw_creatives(ads, n, random)
        propensity = ads.propensity[creative]
    else:
        creative = _draw_served(ads, creatives[segment], random)
        propensity = creatives[segment, creative]
    channel = ads.channel[creative]
    clicked = random.random(n) < ads.click[segment, creative]
    converted = clicked & (random.random(n) < ads.conversion_given_click[creative])
    value = random.gamma(_ORDER_VALUE_SHAPE, ORDER_VALUE_CENTS / _ORDER_VALUE_SHAPE, n)
    numbers = pl.Series(np.arange(n)).cast(pl.String).str.zfill(6)
    return pl.DataFrame(
        {
            "ad_impression_id": f"{day.date:%Y%m%d}-a" + numbers,
            "shown_at": times(day.date, draw_seconds(n, random)),
            "user_id": world.people.ids.at(user),
            "campaign_id": np.array(CAMPAIGNS)[ads.campaign[creative]],
            "channel": np.array(CHANNELS)[channel],
            "creative_id": ads.ids.at(creative),
            "cost_cents": 1 + random.poisson(np.array(COST_CENTS)[channel] - 1),
            "propensity": propensity,
            "is_clicked": clicked,
            "conversions": converted.astype(np.int64),
            "conversion_value_cents": np.where(converted, np.rint(value), 0).astype(np.int64),
        }
    )


def _draw_creatives(ads: Advertising, n: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Draw creatives, int64[n]: a cell by its share, then one of the cell's creatives by its propensity.

    Both at once: creatives of a cell stand together, so cell share x propensity is a distribution over all.
    """
    return random.choice(len(ads.ids), n, p=ads.cell_share[ads.cell] * ads.propensity)


def _draw_served(
    ads: Advertising, chances: NDArray[np.float64], random: np.random.Generator
) -> NDArray[np.int64]:
    """Draw creatives, int64[n], by a published table: a cell by its share as ever, then one of its own.

    chances: float64[n, C], of each creative given its cell.
    """
    below = np.cumsum(ads.cell_share[ads.cell] * chances, axis=1)
    drawn = random.random(len(chances)) * below[:, -1]
    return np.asarray((drawn[:, None] >= below).sum(axis=1), dtype=np.int64)
