"""The response to ad spend: a saturating curve for each campaign, channel and region; the daily feed.

    expected revenue(x) = a x / (b + x)

x is the spend of a day, a the revenue that no spend exceeds, b the spend that brings half of a, all in cents.
The feed is an aggregate of each channel's whole audience, most of whom never visited the shop before, so its
totals aren't sums over ad_impressions. Spend differs from day to day by a randomized factor: without it, no
curve could be learned.

Source: Michaelis & Menten 1913; in marketing Little 1979, "Aggregate advertising models", the ADBUDG form
with exponent 1.
"""

from dataclasses import dataclass
from datetime import date
from math import log

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from features.simulator.advertising import CAMPAIGNS, CHANNELS, COST_CENTS, ORDER_VALUE_CENTS
from features.simulator.identifiers import Identifiers
from features.simulator.people import region_names, region_shares
from features.simulator.preferences import HETEROGENEITY
from features.simulator.settings import WorldSettings
from features.simulator.streams import Stream, generator

_MEAN_SPEND_CENTS = 40000.0
_SPEND_FACTOR = 2.0  # each day's spend is usual spend times a factor, log-uniform between half and double
_MEAN_FACTOR = (_SPEND_FACTOR - 1.0 / _SPEND_FACTOR) / (2.0 * log(_SPEND_FACTOR))
_ORDER_VALUE_SHAPE = 4.0
_AUDIENCE_CLICK_RATE = (0.1, 0.06, 0.035)


@dataclass(frozen=True)
class SpendResponse:
    """True curves, one per cell; N cells = campaign x channel x region, in this order.

    cells: ids `campaign/channel/region`.
    regions: the names of the regions.
    usual_spend_cents: float64[N], the median spend of a day.
    ceiling_cents: float64[N], a.
    half_spend_cents: float64[N], b.
    """

    cells: Identifiers
    regions: tuple[str, ...]
    usual_spend_cents: NDArray[np.float64]
    ceiling_cents: NDArray[np.float64]
    half_spend_cents: NDArray[np.float64]

    def expected_revenue_cents(
        self, campaign_id: str, channel: str, segment_id: str, spend_cents: ArrayLike
    ) -> NDArray[np.float64]:
        """Return the exact expected revenue of a day for each spend, float64 in the shape of `spend_cents`.

        segment_id: a region.
        Raises InputDataError for a cell that the world doesn't have.
        """
        cell = self.cells.positions([f"{campaign_id}/{channel}/{segment_id}"])[0]
        spend = np.asarray(spend_cents, dtype=np.float64)
        return np.asarray(self.ceiling_cents[cell] * spend / (self.half_spend_cents[cell] + spend))

    def feed(
        self, seed: int, day: int, night: date, planned_cents: NDArray[np.float64] | None = None
    ) -> pl.DataFrame:
        """Return the ad_spend_daily log of one night; `day` counts nights from 0.

        planned_cents: of `ServedTables`; the usual spend where none is planned. Each day differs from either
        by a random factor. A plan is the mean of many days, and usual spend their median.
        """
        median = self.usual_spend_cents if planned_cents is None else planned_cents / _MEAN_FACTOR
        random = generator(seed, Stream.AD_SPEND, day)
        n = len(self.cells)
        factor = _SPEND_FACTOR ** random.uniform(-1.0, 1.0, n)
        spend = np.rint(median * factor).astype(np.int64)
        mean_revenue = self.ceiling_cents * spend / (self.half_spend_cents + spend)
        # orders are Poisson and their values gamma, so the mean of their sum is the curve itself
        conversions = random.poisson(mean_revenue / ORDER_VALUE_CENTS)
        revenue = random.gamma(conversions * _ORDER_VALUE_SHAPE, ORDER_VALUE_CENTS / _ORDER_VALUE_SHAPE)
        campaign, channel, region = _cell_axes(len(self.regions))
        impressions = random.poisson(spend / np.array(COST_CENTS)[channel])
        clicks = random.binomial(impressions, np.array(_AUDIENCE_CLICK_RATE)[channel])
        return pl.DataFrame(
            {
                "date": [night] * n,
                "campaign_id": np.array(CAMPAIGNS)[campaign],
                "channel": np.array(CHANNELS)[channel],
                "segment_id": np.array(self.regions)[region],
                "impressions": impressions,
                "clicks": clicks,
                "spend_cents": spend,
                "conversions": conversions,
                "revenue_cents": np.rint(revenue).astype(np.int64),
            }
        )


def draw_spend_response(settings: WorldSettings) -> SpendResponse:
    """Make the curves of these settings.

    Usual spend lies anywhere from far below to far above the half-saturation point, so that the same total
    spent elsewhere brings more.
    """
    random = generator(settings.seed, Stream.SPEND_RESPONSE)
    regions = region_names(settings.regions)
    campaign, channel, region = _cell_axes(len(regions))
    pairs = (len(CAMPAIGNS), len(CHANNELS))
    spread = HETEROGENEITY[settings.world]
    size = len(regions) * region_shares(len(regions))[region]
    usual = _MEAN_SPEND_CENTS * size * np.exp(random.normal(0.0, 0.4, pairs))[campaign, channel]
    saturation = np.exp(random.uniform(np.log(0.2), np.log(5.0), pairs))[campaign, channel] * np.exp(
        spread * random.normal(size=len(region))
    )
    return_on_spend = np.exp(random.normal(np.log(3.0), 0.3, pairs))[campaign, channel] * np.exp(
        0.5 * spread * random.normal(size=len(region))
    )
    half = usual * saturation
    return SpendResponse(
        cells=Identifiers(
            "ad cell",
            tuple(
                f"{CAMPAIGNS[c]}/{CHANNELS[h]}/{regions[r]}"
                for c, h, r in zip(campaign, channel, region, strict=True)
            ),
        ),
        regions=regions,
        usual_spend_cents=usual,
        ceiling_cents=return_on_spend * (half + usual),
        half_spend_cents=half,
    )


def _cell_axes(regions: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return campaign, channel and region of each cell, int64[N] each."""
    campaign, channel, region = np.indices((len(CAMPAIGNS), len(CHANNELS), regions)).reshape(3, -1)
    return campaign, channel, region
