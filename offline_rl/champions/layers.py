"""Layers: what serves a shop, which is often more than one policy.

A promoted policy leaves some segments to what served them before (`offline_rl.segment_choice`), and that may
have left some of its own. Each layer assigns decisions to segments of its own, on the columns of its own.
The first layer that does not leave a decision to the next one answers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from offline_rl.logged_data import LoggedRounds
from offline_rl.serving import SegmentPolicies, served_probabilities
from offline_rl.user_history import UserHistory


@dataclass(frozen=True, eq=False)
class Decisions:
    """n decisions as one layer reads them: context [n, d], segment int64 [n], and what users had done."""

    context: Tensor
    segment: Tensor
    history: UserHistory | None = None

    def select(self, rows: Tensor) -> "Decisions":
        """Return those at `rows`."""
        history = self.history.select(rows) if self.history is not None else None
        return Decisions(self.context[rows], self.segment[rows], history)


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer, on tonight's items.

    leaves: the segments that it leaves to the next layer. logged, tomorrow: the rounds of the log and
    tomorrow's contexts as it reads them; tomorrow is None where nothing is decided.
    """

    policies: SegmentPolicies
    leaves: frozenset[int]
    logged: Decisions
    tomorrow: Decisions | None = None


class ServesInLog(Protocol):
    """What serves, in the decisions of a log."""

    @property
    def name(self) -> str:
        """The name in tables."""
        ...

    def probabilities(self, rows: Tensor) -> Tensor:
        """Return the probability of every item in the slot of each of these n rounds, float64 [n, A]."""
        ...


@dataclass(frozen=True, eq=False)
class LayeredPolicy:
    """Layers over the rounds of tonight's log, the one that is asked first at the beginning."""

    name: str
    layers: tuple[Layer, ...]
    rounds: LoggedRounds

    def probabilities(self, rows: Tensor) -> Tensor:
        """See `ServesInLog`."""
        served = torch.zeros(len(rows), self.rounds.n_actions, dtype=torch.float64)
        for layer, mine in answering(self.layers, [layer.logged.segment[rows] for layer in self.layers]):
            asked = self.rounds.select(rows[mine])
            read = layer.logged.select(rows[mine])
            asked = replace(asked, context=read.context, segment=read.segment, history=read.history)
            served[mine] = served_probabilities(layer.policies, asked)
        return served


def answering(layers: Sequence[Layer], segments: Sequence[Tensor]) -> Iterator[tuple[Layer, Tensor]]:
    """Yield each layer that answers any of n decisions, and the places of these decisions.

    segments: int64 [n], of each layer. The last layer answers what is left.
    """
    left = torch.arange(len(segments[0]))
    for place, (layer, segment) in enumerate(zip(layers, segments, strict=True)):
        is_left_over = torch.isin(segment[left], segment.new_tensor(sorted(layer.leaves)))
        if place == len(layers) - 1:
            is_left_over = torch.zeros_like(is_left_over)
        mine, left = left[~is_left_over], left[is_left_over]
        if len(mine):
            yield layer, mine


def of_tonight(
    policies: SegmentPolicies,
    rounds: LoggedRounds,
    *,
    leaves: frozenset[int] = frozenset(),
    tomorrow: Decisions | None = None,
) -> Layer:
    """Return the layer of policies that read decisions as tonight's log does."""
    logged = Decisions(rounds.context, rounds.segment, rounds.history)
    return Layer(policies, leaves, logged, tomorrow)
