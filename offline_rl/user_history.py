"""User history: what each user had lately done with each item, as known when a decision was made.

A user and a candidate item make a pair, and there are far too many pairs to keep a row for each. But a user
has touched few items, so a table of those that were touched holds everything at any catalog size; what is
known of a pair, of the item's category or of its brand is looked up from it when a candidate is scored.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

ACTS = ("views", "clicks", "carts", "purchases", "days_since")
"""Columns of `Touches.amount`: decayed sums of four kinds of acts, and the days from the user's last act on
this item to the user's last act on any."""


@dataclass(frozen=True, eq=False)
class Touches:
    """What had been done with which items, as of S states of users; E entries.

    A state is a user and the moment of the user's last act, so it changes only when the user does something.
    State s has the entries first[s] .. first[s + 1] - 1.

    first: int64 [S + 1]. item: int64 [E], index of the item touched. amount: float [E, K], see `ACTS`; the
    sums are decayed to the moment of the state, not to that of the decision: tomorrow's decision, days after
    the last visit, would else see fainter interests than those that were learned from.
    """

    first: Tensor
    item: Tensor
    amount: Tensor

    @property
    def n_states(self) -> int:
        """Number of states, S."""
        return len(self.first) - 1

    def select(self, states: Tensor) -> "Touches":
        """Return the table of these states alone, in their order; `states` int64 [n].

        >>> table = Touches(torch.tensor([0, 2, 3]), torch.tensor([4, 7, 4]), torch.zeros(3, 5))
        >>> last = table.select(torch.tensor([1]))
        >>> last.first.tolist(), last.item.tolist()
        ([0, 1], [4])
        """
        _, entry = self.entries_of(states)
        ends = (self.first[states + 1] - self.first[states]).cumsum(0)
        return Touches(torch.cat([ends.new_zeros(1), ends]), self.item[entry], self.amount[entry])

    def to(self, device: torch.device | str, dtype: torch.dtype) -> "Touches":
        """Return the same table on `device`, amounts in `dtype`."""
        return Touches(self.first.to(device), self.item.to(device), self.amount.to(device, dtype))

    def entries_of(self, state: Tensor) -> tuple[Tensor, Tensor]:
        """Return the row of `state` [n] and the entry of each touch of these states, [m] each; -1 has none.

        >>> table = Touches(torch.tensor([0, 2, 3]), torch.tensor([4, 7, 4]), torch.zeros(3, 5))
        >>> row, entry = table.entries_of(torch.tensor([1, -1, 0]))
        >>> row.tolist(), entry.tolist()
        ([0, 2, 2], [2, 0, 1])
        """
        known = state[state >= 0]
        count = torch.zeros_like(state)
        count[state >= 0] = self.first[known + 1] - self.first[known]
        row = torch.repeat_interleave(torch.arange(len(state), device=state.device), count)
        before = count.cumsum(0) - count
        entry = torch.arange(len(row), device=state.device) - before[row] + self.first[state[row]]
        return row, entry


@dataclass(frozen=True, eq=False)
class UserHistory:
    """The state of the user at each of n decisions: int64 [n], -1 where nothing is known."""

    state: Tensor
    touches: Touches

    def select(self, rows: Tensor) -> "UserHistory":
        """Return history of the decisions at `rows`: a boolean mask [n], or indices in the order wanted."""
        return replace(self, state=self.state[rows])

    def of_own_states(self) -> "UserHistory":
        """Return the same history with a table of no other states than those of its decisions.

        The table of a log grows with the log. A copy of all of it for every part of the log would make the
        time of a night grow with the square of its rounds.
        """
        states, place = torch.unique(self.state, return_inverse=True)
        n_unknown = int((states < 0).sum())
        return UserHistory((place - n_unknown).clamp_min(-1), self.touches.select(states[n_unknown:]))

    def to(self, device: torch.device | str, dtype: torch.dtype) -> "UserHistory":
        """Return the same history on `device`, amounts in `dtype`."""
        return UserHistory(self.state.to(device), self.touches.to(device, dtype))
