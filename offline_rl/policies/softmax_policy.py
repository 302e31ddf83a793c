"""Softmax policy over two-tower scores: pi(a | x, slot) = exp(score_a / temperature) / sum over available."""

from dataclasses import dataclass

import torch
from torch import Tensor

from offline_rl import two_tower
from offline_rl.policies.policy import LogitPolicy
from offline_rl.policies.shares import restricted
from offline_rl.two_tower import Parameters, init_parameters, with_task_dimension
from offline_rl.user_history import UserHistory

__all__ = ["Batch", "SoftmaxPolicy", "init_parameters", "log_probabilities", "logits"]

Batch = dict[str, Tensor]
"""Padded rounds with a leading task dimension, as `offline_rl.meta.task_batches` makes them."""


def logits(parameters: Parameters, batch: Batch, temperature: float = 1.0) -> Tensor:
    """Masked logits [T, N, A] of a batch: score / temperature where available, minus infinity elsewhere.

    parameters: `two_tower` tensors with the task dimension.  batch: context [T, N, d], slot [T, N],
    item_features [T, A, f] (the same items for every task), available bool [T, N, A].
    """
    scores = two_tower.all_scores(parameters, batch["context"], batch["slot"], batch["item_features"][0])
    return (scores / temperature).masked_fill(~batch["available"], -torch.inf)


def log_probabilities(parameters: Parameters, batch: Batch, temperature: float = 1.0) -> Tensor:
    """log pi(a | x, slot) of every item: [T, N, A], minus infinity where not available."""
    return torch.log_softmax(logits(parameters, batch, temperature), dim=-1)


@dataclass(frozen=True, eq=False)
class SoftmaxPolicy(LogitPolicy):
    """A policy with fixed parameters (without task dimension).

    The temperature sharpens the choice without touching the scores: near 0 the policy is greedy, at infinity
    uniform.  Where scores are the log-odds of a reward, temperature 1 chooses in proportion to the odds.
    """

    name: str
    parameters: Parameters
    temperature: float

    def action_logits(
        self,
        context: Tensor,
        slot: Tensor,
        item_features: Tensor,
        available: Tensor,
        history: UserHistory | None = None,  # noqa: ARG002 (two towers read the context alone)
    ) -> Tensor:
        """score / temperature, float64 [n, A], minus infinity where not available.

        Raises ValueError if a row has no available item: there is nothing to choose.
        """
        like = self.parameters["context_weight"]
        with torch.no_grad():
            scores = two_tower.all_scores(
                with_task_dimension(self.parameters, 1),
                context.to(like).unsqueeze(0),
                slot.to(like.device).unsqueeze(0),
                item_features.to(like),
            )[0]
        return restricted(scores.double() / self.temperature, available.to(like.device))
