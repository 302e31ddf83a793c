"""Validation: what a set of meta-parameters is worth on segments that were not trained on."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from offline_rl.logged_data import LoggedRounds, Tasks
from offline_rl.meta.adaptation import StepSize, adapt
from offline_rl.meta.convergence import Checkpoint
from offline_rl.meta.segment_objective import SegmentObjective
from offline_rl.meta.task_batches import Batch, pad_tasks, rows_by_segment, sample_rows
from offline_rl.objectives import doubly_robust_terms
from offline_rl.policies import softmax_policy
from offline_rl.reward_model import RewardModel, negative_log_likelihood
from offline_rl.two_tower import Parameters, with_task_dimension

FOLDS = 4
"""Parts of a validation segment's log, each evaluated once after adapting to the others."""

MOST_TO_ADAPT_TO = 4096
"""Rounds of one segment that validation adapts to; more would only take time."""

_TASKS_PER_BATCH = 32


@dataclass(frozen=True, eq=False)
class ValidationBatch:
    """Validation tasks of about the same length, so that they need little padding.

    support: what to adapt to. query: what to evaluate on, with q_hat [T, N, A].
    """

    support: Batch
    query: Batch


@dataclass(frozen=True, eq=False)
class Validation:
    """Rounds of the validation segments to adapt to, and others of the same segments to evaluate on.

    A task is a segment, or one fold of it; the shortest come first.
    cluster, segment [n]: of the rounds that are evaluated, task after task.
    """

    batches: tuple[ValidationBatch, ...]
    cluster: Tensor
    segment: Tensor

    @property
    def clusters(self) -> tuple[Tensor, Tensor]:
        """Both ways in which rounds are alike: by user, and by segment."""
        return self.cluster, self.segment

    @classmethod
    def crossed(cls, tasks: Tasks, segments: Sequence[int], model: RewardModel) -> "Validation":
        """Evaluate on each of FOLDS consecutive parts of a segment's log after adapting to its other parts.

        Every round before the holdout is evaluated on once; with support and query windows it would be two
        rounds in seven. A policy adapts to three quarters of the rounds that it will serve with. With fewer
        rounds, a learner would win by luck. The model gives q_hat, and must not have seen these segments.
        """
        rounds = tasks.window("training", segments)
        adapted_to, evaluated = [], []
        for rows in rows_by_segment(rounds, segments):
            parts = [part for part in rows.tensor_split(FOLDS) if len(part)]
            for fold, part in enumerate(parts):
                adapted_to.append(torch.cat([rows[:0], *parts[:fold], *parts[fold + 1 :]]))
                evaluated.append(part)
        return cls._of(rounds, adapted_to, rounds, evaluated, model)

    @classmethod
    def ahead(cls, tasks: Tasks, segments: Sequence[int], model: RewardModel) -> "Validation":
        """Evaluate on the query window after adapting to the support window, which the model may know."""
        support, query = (tasks.window(name, segments) for name in ("support", "query"))
        return cls._of(
            support, rows_by_segment(support, segments), query, rows_by_segment(query, segments), model
        )

    @classmethod
    def _of(
        cls,
        support: LoggedRounds,
        adapted_to: Sequence[Tensor],
        query: LoggedRounds,
        evaluated: Sequence[Tensor],
        model: RewardModel,
    ) -> "Validation":
        thinned = sample_rows(adapted_to, MOST_TO_ADAPT_TO, torch.Generator().manual_seed(0))
        q_hat = model.expected_rewards(query)
        order = sorted(range(len(evaluated)), key=lambda task: (len(thinned[task]), len(evaluated[task])))
        batches = []
        for first in range(0, len(order), _TASKS_PER_BATCH):
            chosen = order[first : first + _TASKS_PER_BATCH]
            batches.append(
                ValidationBatch(
                    pad_tasks(support, [thinned[task] for task in chosen]),
                    pad_tasks(query, [evaluated[task] for task in chosen], {"q_hat": q_hat}),
                )
            )
        every = torch.cat([evaluated[task] for task in order])
        return cls(tuple(batches), query.cluster[every], query.segment[every])

    def measure(
        self,
        step: int,
        parameters: Parameters,
        objective: SegmentObjective,
        inner_lr: StepSize,
        inner_steps: int,
    ) -> Checkpoint:
        """Return the checkpoint of a step, with and without adaptation to the validation tasks' support."""
        seen = [_terms(batch, parameters, objective, inner_lr, inner_steps) for batch in self.batches]
        adapted, zero_shot, values, zero_shot_values = (torch.cat(terms) for terms in zip(*seen, strict=True))
        return Checkpoint(
            step=step,
            adapted=adapted,
            zero_shot=zero_shot,
            values=values,
            zero_shot_values=zero_shot_values,
            parameters={name: value.detach().clone() for name, value in parameters.items()},
        )


def adapted_to_support(
    batch: ValidationBatch,
    parameters: Parameters,
    objective: SegmentObjective,
    inner_lr: StepSize,
    inner_steps: int,
) -> tuple[Parameters, Parameters]:
    """Return the parameters of each task of a batch, [T, ...], before and after adapting to its support."""
    leaves = {name: value.detach().requires_grad_() for name, value in parameters.items()}
    start = with_task_dimension(leaves, len(batch.support["mask"]))
    adapted = adapt(
        objective.loss,
        start,
        objective.as_support(batch.support),
        inner_lr=inner_lr,
        inner_steps=inner_steps,
        create_graph=False,
    )
    return start, adapted


def _terms(
    batch: ValidationBatch,
    parameters: Parameters,
    objective: SegmentObjective,
    inner_lr: StepSize,
    inner_steps: int,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the terms of a `Checkpoint`, of this batch's rounds."""
    start, adapted = adapted_to_support(batch, parameters, objective, inner_lr, inner_steps)
    with torch.no_grad():
        zero_shot_values = _value_terms(start, batch.query, objective)
        values = _value_terms(adapted, batch.query, objective) if inner_steps else zero_shot_values
        if objective.kind != "reward_likelihood":
            return values, zero_shot_values, values, zero_shot_values
        zero_shot = _likelihood(start, batch.query, objective)
        likelihood = _likelihood(adapted, batch.query, objective) if inner_steps else zero_shot
        return likelihood, zero_shot, values, zero_shot_values


def _value_terms(params: Parameters, query: Batch, objective: SegmentObjective) -> Tensor:
    probabilities = softmax_policy.log_probabilities(params, query, objective.temperature).exp()
    terms = doubly_robust_terms(
        probabilities, query["action"], query["propensity"], query["reward"], query["q_hat"]
    )
    return terms[query["mask"]]


def _likelihood(params: Parameters, query: Batch, objective: SegmentObjective) -> Tensor:
    score = softmax_policy.logged_scores(params, query)
    reward = query["reward"] / objective.reward_scale
    return -negative_log_likelihood(score, reward, is_binary=objective.is_binary)[query["mask"]]
