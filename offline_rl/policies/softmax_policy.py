"""Softmax policy over two-tower scores: pi(a | x, slot) = exp(score_a / temperature) / sum over available."""

from dataclasses import dataclass

import torch
from torch import Tensor

from offline_rl import two_tower
from offline_rl.policies.policy import LogitPolicy
from offline_rl.policies.scored_policy import Score
from offline_rl.policies.shares import restricted
from offline_rl.two_tower import Parameters, TwoTowerScore, init_parameters
from offline_rl.user_history import UserHistory

__all__ = ["Batch", "SoftmaxPolicy", "init_parameters", "log_probabilities", "logged_scores", "logits"]

Batch = dict[str, Tensor]
"""Padded rounds with a leading task dimension, as `offline_rl.meta.task_batches` makes them."""


def logits(parameters: Parameters, batch: Batch, temperature: float = 1.0) -> Tensor:
    """Return masked logits [T, N, A] of a batch: score / temperature where available, else minus infinity.

    parameters: `two_tower` tensors with the task dimension. batch: context [T, N, d], slot [T, N],
    item_features [T, A, f] (the same actions for every task), available bool [T, N, A]; offset [T, N, A] is
    added to the scores where the batch has one.
    """
    scores = two_tower.all_scores(parameters, batch["context"], batch["slot"], batch["item_features"][0])
    if "offset" in batch:
        scores = scores + batch["offset"]
    return (scores / temperature).masked_fill(~batch["available"], -torch.inf)


def logged_scores(parameters: Parameters, batch: Batch) -> Tensor:
    """Return the scores of the logged actions [T, N], with the batch's offset where it has one."""
    action = batch["action"]
    score = two_tower.logged_scores(
        parameters, batch["context"], batch["slot"], batch["item_features"][0], action
    )
    if "offset" in batch:
        score = score + batch["offset"].gather(-1, action.unsqueeze(-1)).squeeze(-1)
    return score


def log_probabilities(parameters: Parameters, batch: Batch, temperature: float = 1.0) -> Tensor:
    """Return log pi(a | x, slot) of every action: [T, N, A], minus infinity where not available."""
    return torch.log_softmax(logits(parameters, batch, temperature), dim=-1)


@dataclass(frozen=True, eq=False)
class SoftmaxPolicy(LogitPolicy):
    """A policy with fixed parameters (without task dimension).

    The temperature sharpens the choice without touching the scores: near 0 the policy is greedy, at infinity
    uniform. Where scores are the log-odds of a reward, temperature 1 chooses in proportion to the odds.
    offset: scores that those of the parameters are added to; None for none.
    """

    name: str
    parameters: Parameters
    temperature: float
    offset: Score | None = None

    def score(
        self, context: Tensor, slot: Tensor, item_features: Tensor, history: UserHistory | None = None
    ) -> Tensor:
        """See `Score`; in the dtype of the parameters, or in the offset's."""
        scores = TwoTowerScore(self.parameters)(context, slot, item_features, history)
        if self.offset is None:
            return scores
        return scores + self.offset(context, slot, item_features, history).to(scores.device)

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
