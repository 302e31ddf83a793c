"""The items that can be shown on a day: launched, and in stock.

An item sells out on a day by chance and comes back one to five days later. This does not depend on the
visitor, so the log's candidate set describes it completely.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.simulator.settings import WorldSettings
from features.simulator.streams import Stream, generator

_LONGEST_STOCK_OUT = 5
_MEAN_STOCK_OUT = 3.0


@dataclass(frozen=True)
class Assortment:
    """A items.

    launch_day: int64[A]. sell_out: probability that an item sells out on a day.
    fewest: at least this many items can be shown on every day, whatever sells out.
    """

    seed: int
    launch_day: NDArray[np.int64]
    sell_out: float
    fewest: int

    def available(self, day: int) -> NDArray[np.bool_]:
        """Return the items that can be shown on the day, counted from 0, as bool[A].

        A day depends on the sell-outs drawn for the days before it, and not on earlier results, so the order
        of calls does not matter.
        """
        launched = self.launch_day <= day
        available = launched.copy()
        for ago in range(min(_LONGEST_STOCK_OUT, day + 1)):
            random = generator(self.seed, Stream.STOCK, day - ago)
            sells_out = random.random(len(launched)) < self.sell_out
            lasts = random.integers(1, _LONGEST_STOCK_OUT + 1, len(launched))
            available &= ~(sells_out & (lasts > ago))
        missing = max(0, self.fewest - int(available.sum()))
        available[np.flatnonzero(launched & ~available)[:missing]] = True
        return available


def draw_assortment(settings: WorldSettings, launch_day: NDArray[np.int64]) -> Assortment:
    """Make the assortment of these settings; there is always one item more than slots."""
    return Assortment(
        settings.seed, launch_day, settings.stock_out_share / _MEAN_STOCK_OUT, settings.slots + 1
    )
