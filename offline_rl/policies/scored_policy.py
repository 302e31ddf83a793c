"""Policy over any scores: pi(a | x, slot) = exp(score_a / temperature) / sum over the available actions."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from offline_rl.policies.policy import LogitPolicy
from offline_rl.policies.shares import restricted
from offline_rl.user_history import UserHistory


class Score(Protocol):
    """Scores of actions: log-odds of 0/1 rewards, or other rewards in units of the reward model's scale."""

    def __call__(
        self, context: Tensor, slot: Tensor, item_features: Tensor, history: UserHistory | None = None
    ) -> Tensor:
        """Return scores [n, A] for context [n, d], slot [n], item_features [A, f] and n users' histories."""
        ...


@dataclass(frozen=True, eq=False)
class ItemScore:
    """The same scores [A] of the items in every context."""

    of_item: Tensor

    def __call__(
        self, context: Tensor, slot: Tensor, item_features: Tensor, history: UserHistory | None = None
    ) -> Tensor:
        """See `Score`; float64 [n, A]."""
        del slot, item_features, history
        return self.of_item.to(context.device, torch.float64).expand(len(context), -1)


@dataclass(frozen=True)
class LevelScore:
    """The same score of every item in every context."""

    level: float

    def __call__(
        self, context: Tensor, slot: Tensor, item_features: Tensor, history: UserHistory | None = None
    ) -> Tensor:
        """See `Score`; [n, A], in the context's dtype."""
        del slot, history
        return context.new_full((len(context), len(item_features)), self.level)


@dataclass(frozen=True, eq=False)
class ScoredPolicy(LogitPolicy):
    """The read-out of any scores, such as those of a two-tower network plus a segment's effects.

    Equal scores and temperature give the probabilities that `SoftmaxPolicy` gives.
    """

    name: str
    score: Score
    temperature: float

    def action_logits(
        self,
        context: Tensor,
        slot: Tensor,
        item_features: Tensor,
        available: Tensor,
        history: UserHistory | None = None,
    ) -> Tensor:
        """Return score / temperature, float64 [n, A], minus infinity where not available.

        Raises ValueError if a row has no available action: there is nothing to choose.
        """
        with torch.no_grad():
            scores = self.score(context, slot, item_features, history)
        return restricted(scores.double() / self.temperature, available.to(scores.device))


def masked_softmax(logits: Tensor, available: Tensor) -> Tensor:
    """Return the softmax of logits [n, A] over the available actions; ValueError if a row has none.

    >>> masked_softmax(torch.tensor([[0.0, 0.0, 9.0]]), torch.tensor([[True, True, False]]))
    tensor([[0.5000, 0.5000, 0.0000]])
    """
    return torch.softmax(restricted(logits, available), dim=-1)
