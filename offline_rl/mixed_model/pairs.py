"""Pair features: what a user had lately done with a candidate item, and with others of its kind.

Items are gathered in kinds: an item alone, those of its category, those of its brand, those of its price
band. Of each kind a candidate has six numbers, all 0 where the user has touched none of the kind:

    log(1 + views), log(1 + clicks), log(1 + carts), log(1 + purchases)    decayed sums
    2^(-days / 14) since the last touch, and 1 where something was bought

They are looked up in the touches of the user's state, so a catalog may have any size.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from offline_rl.user_history import UserHistory

N_NUMBERS = 6
"""Number of pair features of each kind, K."""

_HALF_LIFE_DAYS = 14.0

_CELLS_AT_ONCE = 1 << 22
"""Pairs of decision and kind held at once: about 200 MB with all their numbers."""


@dataclass(frozen=True, eq=False)
class Kind:
    """A way to gather items: code int64 [A], the kind's number of each item, -1 for an item without one."""

    name: str
    code: Tensor

    @property
    def n_codes(self) -> int:
        """How many kinds there are."""
        return int(self.code.max()) + 1 if len(self.code) else 0

    def to(self, device: torch.device | str) -> "Kind":
        """Return the same on `device`."""
        return Kind(self.name, self.code.to(device))


def logged_pairs(history: UserHistory, kind: Kind, action: Tensor) -> Tensor:
    """Return the numbers of each decision's logged item: [n, K] for action int64 [n]."""
    row, entry = history.touches.entries_of(history.state)
    touched = kind.code[history.touches.item[entry]]
    same = (touched == kind.code[action[row]]) & (touched >= 0)
    return _numbers(history.touches.amount[entry[same]], row[same], len(action))


def all_pairs(history: UserHistory, kind: Kind, weights: Tensor) -> Tensor:
    """Return the weighted sum of the numbers of every item, [n, A]; weights [K].

    Everything is computed once for each state and kind, and then read off for its decisions and items.
    """
    states, place = torch.unique(history.state, return_inverse=True)
    n, codes = len(states), max(kind.n_codes, 1)
    of_code = weights.new_zeros(n, codes)
    for rows in torch.split(torch.arange(n, device=weights.device), max(1, _CELLS_AT_ONCE // codes)):
        row, entry = history.touches.entries_of(states[rows])
        touched = kind.code[history.touches.item[entry]]
        has_kind = touched >= 0
        cell = row[has_kind] * codes + touched[has_kind]
        used, cell_of = torch.unique(cell, return_inverse=True)
        numbers = _numbers(history.touches.amount[entry[has_kind]], cell_of, len(used))
        of_code[rows] = (
            weights.new_zeros(len(rows) * codes)
            .index_copy_(0, used, numbers.to(weights) @ weights)
            .reshape(len(rows), codes)
        )
    of_item = torch.where(kind.code >= 0, of_code[:, kind.code.clamp_min(0)], 0.0)
    return of_item[place]


def _numbers(amount: Tensor, place: Tensor, size: int) -> Tensor:
    """Return the K numbers of each of `size` pairs, from touches [m, 5] and the touches' `place` [m]."""
    sums = amount.new_zeros(size, 4).index_add_(0, place, amount[:, :4])
    fresh = amount.new_zeros(size).scatter_reduce_(
        0, place, torch.exp2(-amount[:, 4] / _HALF_LIFE_DAYS), "amax"
    )
    bought = (sums[:, 3] > 0).to(sums.dtype)
    return torch.cat([sums.log1p(), fresh[:, None], bought[:, None]], dim=1)
