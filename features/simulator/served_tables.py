"""Served tables: what the published tables of a night make of the next day, instead of the shop's systems."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.simulator.served_slates import ServedSlates


@dataclass(frozen=True, eq=False)
class ServedTables:
    """The tables of a night that act; None where the shop's own systems decide as ever.

    slates: the lists of recommendations. creatives: float64[G, C], probability of each creative given its
    campaign and channel, for users of each of the world's segments. spend_cents: float64[N], the planned
    spend of each cell of campaign, channel and region.
    """

    slates: ServedSlates | None = None
    creatives: NDArray[np.float64] | None = None
    spend_cents: NDArray[np.float64] | None = None
