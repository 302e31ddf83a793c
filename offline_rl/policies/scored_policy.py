"""Policy over any scores: pi(a | x, slot) = exp(score_a / temperature) / sum over the available items."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Score = Callable[[Tensor, Tensor, Tensor], Tensor]
"""score(context [n, d], slot [n], item_features [A, f]) -> [n, A]: log-odds of 0/1 rewards, or other rewards
in units of the reward model's scale."""


@dataclass(frozen=True, eq=False)
class ScoredPolicy:
    """The read-out of scores that are no two-tower network's own, such as those plus a segment's effects.

    Equal scores and temperature give the probabilities that `SoftmaxPolicy` gives.
    """

    name: str
    score: Score
    temperature: float

    def action_probabilities(
        self, context: Tensor, slot: Tensor, item_features: Tensor, available: Tensor
    ) -> Tensor:
        """pi(a | x, slot): [n, A], 0 where not available.

        Raises ValueError if a row has no available item: there is nothing to choose.
        """
        with torch.no_grad():
            scores = self.score(context, slot, item_features)
        return masked_softmax(scores / self.temperature, available.to(scores.device))


def masked_softmax(logits: Tensor, available: Tensor) -> Tensor:
    """Softmax of logits [n, A] over the available items; ValueError if a row has none.

    >>> masked_softmax(torch.tensor([[0.0, 0.0, 9.0]]), torch.tensor([[True, True, False]]))
    tensor([[0.5000, 0.5000, 0.0000]])
    """
    if not bool(available.any(-1).all()):
        row = int(torch.nonzero(~available.any(-1)).flatten()[0])
        raise ValueError(f"Row {row} has no available item to choose from: leave it out or widen its set.")
    return torch.softmax(logits.masked_fill(~available, -torch.inf), dim=-1)
