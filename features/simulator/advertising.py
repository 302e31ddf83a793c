"""The ads of the simulated shop: the propensity of each creative, and its true reward.

    P(click | segment, creative) = sigmoid(channel base + quality(creative) + deviation(segment, creative))
    P(conversion | click, creative) = sigmoid(conversion base + term(creative))

A creative belongs to one campaign on one channel (a cell). The cell is given; the choice is among the
creatives of the cell.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from features.errors import UsageError
from features.simulator.click_model import sigmoid
from features.simulator.identifiers import Identifiers
from features.simulator.logging_policy import mixed_with_uniform
from features.simulator.people import DEVICES
from features.simulator.preferences import HETEROGENEITY
from features.simulator.settings import WorldSettings
from features.simulator.streams import Stream, generator

AdReward = Literal["click", "conversion", "revenue"]

CHANNELS = ("search", "social", "display")
CAMPAIGNS = ("always-on", "new-arrivals", "spring-sale")

COST_CENTS = (9, 4, 2)
"""Mean cost of an impression on each channel, in cents; at least 1 each time."""

ORDER_VALUE_CENTS = 4500
"""Mean value of an order from advertising, in cents."""

_CHANNEL_BASE = (-2.2, -2.8, -3.3)
_QUALITY_SPREAD = 0.35
_CONVERSION_BASE = -1.9
_CONVERSION_SPREAD = 0.3
_SHARPNESS = 0.5
_UNIFORM_SHARE = 0.4


@dataclass(frozen=True)
class Advertising:
    """Creatives in the order of `ids`; C creatives, G segments, N cells of campaign x channel.

    campaign, channel, cell: int64[C], positions in CAMPAIGNS, in CHANNELS and among the cells.
    propensity: float64[C], probability of the creative given its cell; sums to 1 over each cell.
    click: float64[G, C], probability of a click on the creative.
    conversion_given_click: float64[C], probability that a click ends in an order.
    cell_share: float64[N], share of ads that go to the cell.
    """

    ids: Identifiers
    campaign: NDArray[np.int64]
    channel: NDArray[np.int64]
    cell: NDArray[np.int64]
    propensity: NDArray[np.float64]
    click: NDArray[np.float64]
    conversion_given_click: NDArray[np.float64]
    cell_share: NDArray[np.float64]

    def expected_reward(self, reward: AdReward) -> NDArray[np.float64]:
        """Return the expected reward when the creative is shown, float64[G, C]: a probability, or money.

        Raises UsageError for a reward other than these.
        """
        if reward == "click":
            return self.click
        if reward == "conversion":
            return self.click * self.conversion_given_click
        if reward == "revenue":
            return self.click * self.conversion_given_click * (ORDER_VALUE_CENTS / 100)
        raise UsageError(f"Ad reward '{reward}' is unknown. Choose one of {', '.join(get_args(AdReward))}.")


def draw_advertising(settings: WorldSettings) -> Advertising:
    """Make the creatives of these settings, two or three for each campaign on each channel."""
    random = generator(settings.seed, Stream.CREATIVES)
    cells = [(campaign, channel) for campaign in range(len(CAMPAIGNS)) for channel in range(len(CHANNELS))]
    sizes = np.array([2 + (campaign + channel) % 2 for campaign, channel in cells])
    cell = np.repeat(np.arange(len(cells)), sizes)
    campaign, channel = np.array(cells)[cell].T
    number = np.arange(len(cell)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + 1
    differs = float(settings.world != "null")  # where no creative is better than another of its cell
    quality = differs * _QUALITY_SPREAD * random.normal(size=len(cell))
    deviation = random.normal(size=(settings.regions * len(DEVICES), len(cell)))
    deviation -= deviation.mean(axis=0)
    click = sigmoid(np.array(_CHANNEL_BASE)[channel] + quality + HETEROGENEITY[settings.world] * deviation)
    preferences = np.exp(_SHARPNESS * random.normal(size=len(cell)))
    return Advertising(
        ids=Identifiers(
            "creative",
            tuple(
                f"{CAMPAIGNS[c]}-{CHANNELS[h]}-{n}" for c, h, n in zip(campaign, channel, number, strict=True)
            ),
        ),
        campaign=campaign,
        channel=channel,
        cell=cell,
        propensity=np.concatenate(
            [mixed_with_uniform(preferences[cell == one], _UNIFORM_SHARE) for one in range(len(cells))]
        ),
        click=click,
        conversion_given_click=sigmoid(
            _CONVERSION_BASE + differs * _CONVERSION_SPREAD * random.normal(size=len(cell))
        ),
        cell_share=mixed_with_uniform(random.uniform(0.5, 1.5, len(cells)), 0.2),
    )
