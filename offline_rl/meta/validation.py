"""Validation: what a set of meta-parameters is worth on segments that were not trained on."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from offline_rl import two_tower
from offline_rl.logged_data import Tasks
from offline_rl.meta.adaptation import StepSize, adapt
from offline_rl.meta.convergence import Look
from offline_rl.meta.segment_objective import SegmentObjective
from offline_rl.meta.task_batches import Batch, pad_tasks, rows_by_segment, task_batch
from offline_rl.objectives import doubly_robust_terms
from offline_rl.policies import softmax_policy
from offline_rl.reward_model import RewardModel, negative_log_likelihood
from offline_rl.two_tower import Parameters, with_task_dimension


@dataclass(frozen=True, eq=False)
class Validation:
    """The validation segments: their support to adapt on, their query (with q_hat [T, N, A]) to judge on."""

    support: Batch
    query: Batch
    cluster: Tensor

    @classmethod
    def on(cls, tasks: Tasks, segments: Sequence[int], model: RewardModel) -> "Validation":
        """All support and query rounds of `segments`; the model gives q_hat, and must not have seen them."""
        judged = tasks.window("query", segments)
        q_hat = model.predict(judged.context, judged.slot, judged.item_features)
        query = pad_tasks(
            judged, rows_by_segment(judged, segments), {"q_hat": q_hat, "cluster": judged.cluster}
        )
        support = task_batch(tasks.window("support", segments), segments)
        return cls(support, query, query["cluster"][query["mask"]])

    def look(
        self,
        step: int,
        parameters: Parameters,
        objective: SegmentObjective,
        inner_lr: StepSize,
        inner_steps: int,
    ) -> Look:
        """What is seen at a step, with and without adaptation to the validation segments' support."""
        tasks = len(self.query["mask"])
        start = with_task_dimension(
            {name: value.detach().requires_grad_() for name, value in parameters.items()}, tasks
        )
        adapted = adapt(
            objective.loss,
            start,
            objective.as_support(self.support),
            inner_lr=inner_lr,
            inner_steps=inner_steps,
            create_graph=False,
        )
        with torch.no_grad():
            zero_shot_values = self._value_terms(start, objective)
            values = self._value_terms(adapted, objective) if inner_steps else zero_shot_values
            if objective.kind == "reward_likelihood":
                criterion, zero_shot = (
                    self._likelihood(adapted, objective),
                    self._likelihood(start, objective),
                )
            else:
                criterion, zero_shot = values, zero_shot_values
        return Look(
            step=step,
            adapted=criterion,
            zero_shot=zero_shot,
            values=values,
            zero_shot_values=zero_shot_values,
            parameters={name: value.detach().clone() for name, value in parameters.items()},
        )

    def _value_terms(self, params: Parameters, objective: SegmentObjective) -> Tensor:
        query = self.query
        probabilities = softmax_policy.log_probabilities(params, query, objective.temperature).exp()
        terms = doubly_robust_terms(
            probabilities, query["action"], query["propensity"], query["reward"], query["q_hat"]
        )
        return terms[query["mask"]]

    def _likelihood(self, params: Parameters, objective: SegmentObjective) -> Tensor:
        query = self.query
        score = two_tower.logged_scores(
            params, query["context"], query["slot"], query["item_features"][0], query["action"]
        )
        reward = query["reward"] / objective.reward_scale
        return -negative_log_likelihood(score, reward, is_binary=objective.is_binary)[query["mask"]]
