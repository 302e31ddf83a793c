"""The objective of one segment: a task's loss, in units that suit rare and frequent rewards alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from offline_rl import objectives
from offline_rl.meta.task_batches import Batch
from offline_rl.policies import softmax_policy
from offline_rl.reward_model import UNPENALIZED
from offline_rl.two_tower import Parameters

Kind = Literal[
    "reward_likelihood", "importance_weighted", "implicit_exploration", "self_normalized", "doubly_robust"
]


@dataclass(frozen=True)
class SegmentObjective:
    """A loss over two-tower parameters, one value per task.

    "reward_likelihood": the scores are a reward model, fitted by likelihood; the policy is its softmax
    read-out. It needs no importance weights, and is by far the less noisy on the few rounds of a segment.
    "importance_weighted": the scores are a policy's logits, improved by importance-weighted REINFORCE with
    the mean reward as baseline, a KL term towards the logging policy and an entropy bonus.
    "implicit_exploration", "self_normalized", "doubly_robust": the same with another estimate of the value
    (see `offline_rl.objectives`); the last needs q_hat [T, N, A] in its batches, and so can't adapt a policy
    that is served without a reward model beside it.

    temperature is the read-out's; mean_reward and reward_variance are those of the pooled log (for 0/1
    rewards p and p (1 - p); for others the variance is 1, in units of reward_scale). shrinkage: the
    information (n * reward_variance, about the number of clicks) at which a support set is followed half way.
    curvature: the largest eigenvalue of the pooled loss at the warm start, and at least 1. gamma is that of
    implicit exploration.
    """

    kind: Kind
    temperature: float
    is_binary: bool
    reward_scale: float
    mean_reward: float
    reward_variance: float
    shrinkage: float
    clip: float
    kl_weight: float
    entropy_weight: float
    curvature: float = 1.0
    gamma: float = 0.0

    def loss(self, params: Parameters, batch: Batch) -> Tensor:
        """Return the loss per task [T], times the batch's `trust` where it has one (see `as_support`).

        One inner_lr has to suit every shop. So the likelihood is divided by the reward variance, and the
        value by the mean reward and counted per logit instead of per score (temperature squared), which takes
        the click rate and the temperature out; and both by the curvature, which takes the features' scale
        out. A step with inner_lr 1 is then the longest that surely descends the pooled loss.
        """
        if self.kind == "reward_likelihood":
            values = self._negative_log_likelihood(params, batch) / self.reward_variance
        else:
            values = self._negative_value(params, batch) * (self.temperature**2 / abs(self.mean_reward))
        values = values / self.curvature
        return values * batch["trust"] if "trust" in batch else values

    def prior_cost(self, params: Mapping[str, Tensor], precision: float) -> Tensor:
        """Return cost of meta-parameters under the pooled model's prior, in units of the likelihood's `loss`.

            precision / 2 * |weights|^2,  precision = penalty / rounds

        Without it meta-training, which starts at a penalized fit, would overfit at once.
        """
        squares = [value.square().sum() for name, value in params.items() if name != UNPENALIZED]
        return 0.5 * precision * torch.stack(squares).sum() / (self.reward_variance * self.curvature)

    def as_support(self, batch: Batch) -> Batch:
        """Return the batch with each task's trust, information / (information + shrinkage), [T].

        The factor is the weight that a normal prior would leave to the data: a segment with two clicks moves
        little, one with two hundred goes where they point.
        """
        information = self.information(batch)
        return {**batch, "trust": information / (information + self.shrinkage)}

    def information(self, batch: Batch) -> Tensor:
        """Return n * reward_variance of each task [T], in the rewards' dtype: about its number of clicks."""
        return batch["mask"].sum(-1).to(batch["reward"].dtype) * self.reward_variance

    def _negative_log_likelihood(self, params: Parameters, batch: Batch) -> Tensor:
        score = softmax_policy.logged_scores(params, batch)
        reward = batch["reward"] / self.reward_scale
        return objectives.likelihood_loss(score, reward, batch["mask"], is_binary=self.is_binary)

    def _negative_value(self, params: Parameters, batch: Batch) -> Tensor:
        log_probabilities = softmax_policy.log_probabilities(params, batch, self.temperature)
        logged = log_probabilities.gather(-1, batch["action"].unsqueeze(-1)).squeeze(-1)
        mask = batch["mask"]
        risk = self._risk(log_probabilities, logged, batch)
        divergence = objectives.divergence_from_logging(logged, batch["propensity"], mask)
        spread = objectives.entropy(log_probabilities, mask)
        regularization = self.kl_weight * divergence - self.entropy_weight * spread
        return risk + abs(self.mean_reward) * regularization

    def _risk(self, log_probabilities: Tensor, logged: Tensor, batch: Batch) -> Tensor:
        propensity, reward, mask = batch["propensity"], batch["reward"], batch["mask"]
        if self.kind == "implicit_exploration":
            return objectives.implicit_exploration_loss(logged, propensity, reward, mask, gamma=self.gamma)
        if self.kind == "self_normalized":
            return objectives.self_normalized_loss(logged, propensity, reward, mask)
        if self.kind == "doubly_robust":
            return objectives.doubly_robust_loss(
                log_probabilities,
                batch["action"],
                propensity,
                reward,
                batch["q_hat"],
                mask=mask,
                clip=self.clip,
            )
        return objectives.importance_weighted_loss(
            logged, propensity, reward - self.mean_reward, mask, clip=self.clip
        )


def weight_of_logged(params: Parameters, batch: Batch, temperature: float) -> Tensor:
    """Return rho = pi / propensity of the logged actions, [T, N], without gradient."""
    with torch.no_grad():
        log_probabilities = softmax_policy.log_probabilities(params, batch, temperature)
        logged = log_probabilities.gather(-1, batch["action"].unsqueeze(-1)).squeeze(-1)
        return objectives.weights_of(logged, batch["propensity"])
