"""Served slates: what a published table shows to each user, instead of the shop's own policies."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class ServedSlates:
    """The slates of U users with L slots.

    item: int64[U, L], position of each item; -1 throughout for a user that the table does not name, who is
    served by the shop's own policy. propensity: float64[U, L], probability of the item in the slot, as the
    table has it. version: int64[U], place in `versions`. candidate_set_id: of the items that the table was
    drawn from, those of the day before: what has sold out since is shown all the same, and nobody clicks it.
    """

    item: NDArray[np.int64]
    propensity: NDArray[np.float64]
    version: NDArray[np.int64]
    versions: tuple[str, ...]
    candidate_set_id: str

    @property
    def is_served(self) -> NDArray[np.bool_]:
        """Which users the table names, bool[U]."""
        return np.asarray(self.item[:, 0] >= 0)
