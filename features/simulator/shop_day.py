"""One day of the shop before its first visit: users who may come, available items, and propensities."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

SURFACE = "home"


def candidate_set_id(day: date) -> str:
    """Return the id of a day's candidate set.

    >>> candidate_set_id(date(2026, 1, 5))
    'home-20260105'
    """
    return f"{SURFACE}-{day:%Y%m%d}"


@dataclass(frozen=True)
class ShopDay:
    """A items, L slots, P logging policies; the first m users may come.

    number: the day, counted from 0.
    visit_rate: float64[m], mean visits of each user on this day.
    ad_rate: mean ads shown on this day, over all users.
    available: bool[A], the items that can be shown.
    weights: float64[P, A], with which each policy fills its slates today, sum 1.
    marginals: float64[P, L, A], exact probability of each item in each slot; a logged row's propensity.
    """

    number: int
    date: date
    visit_rate: NDArray[np.float64]
    ad_rate: float
    available: NDArray[np.bool_]
    weights: NDArray[np.float64]
    marginals: NDArray[np.float64]

    @property
    def candidate_set_id(self) -> str:
        """The id of the day's candidate set, e.g. home-20260105."""
        return candidate_set_id(self.date)

    def candidate_set(self, item_ids: pl.Series) -> pl.DataFrame:
        """Return the candidate_sets log of the day; `item_ids` are those of all items, A."""
        items = item_ids.filter(pl.Series(self.available))
        return pl.DataFrame({"candidate_set_id": [self.candidate_set_id] * len(items), "item_id": items})
