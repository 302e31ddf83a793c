"""Validation of a meta-policy: its value on the validation segments, by one rule for all learners."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from offline_rl.logged_data import LoggedRounds
from offline_rl.meta.convergence import sure_gain
from offline_rl.meta.meta_policy import CurvePoint, MetaPolicy, Progress
from offline_rl.meta.task_batches import Batch
from offline_rl.meta.warm_start import WarmStart
from offline_rl.objectives import doubly_robust_terms
from offline_rl.policies.policy import Policy
from offline_rl.policies.scored_policy import ScoredPolicy
from offline_rl.reward_model import negative_log_likelihood
from offline_rl.user_history import UserHistory

_NEWTON_STEPS, _FARTHEST_LEVEL = 30, 15.0


@dataclass(frozen=True)
class ValidationResult:
    """value: doubly robust value after adapting; zero_shot_value: the same without adapting.

    gain: the paired gain over the pooled model on the same rounds, less its clustered standard error.
    """

    value: float
    zero_shot_value: float
    gain: float


@dataclass(frozen=True, eq=False)
class ValidationTask:
    """Rounds of one validation segment to adapt to, others to evaluate on, and q_hat [n, A] of those."""

    support: LoggedRounds
    query: LoggedRounds
    q_hat: Tensor


def validation_tasks(start: WarmStart) -> list[ValidationTask]:
    """Return the tasks of `start.validation` one by one, in the order of its `cluster`."""
    return [
        ValidationTask(
            _rounds_of(batch.support, task, start.training),
            _rounds_of(batch.query, task, start.training),
            batch.query["q_hat"][task][batch.query["mask"][task]],
        )
        for batch in start.validation.batches
        for task in range(len(batch.query["mask"]))
    ]


def validate(policy: MetaPolicy, start: WarmStart) -> ValidationResult:
    """Adapt to the support of each validation task, and take the doubly robust value of its query rounds.

        value = mean_i term_i,  gain = mean_i (term_i - pooled term_i) - clustered standard error

    Every round counts once, so a segment counts by its traffic. Nothing is tuned here.
    """
    segments = validation_tasks(start)
    pooled = start.pooled_policy()
    zero_shot = policy.zero_shot()
    adapted_terms = torch.cat([_value_terms(policy.adapt(part.support), part) for part in segments])
    zero_shot_terms = torch.cat([_value_terms(zero_shot, part) for part in segments])
    pooled_terms = torch.cat([_value_terms(pooled, part) for part in segments])
    return ValidationResult(
        value=float(adapted_terms.mean()),
        zero_shot_value=float(zero_shot_terms.mean()),
        gain=sure_gain(adapted_terms - pooled_terms, start.validation.cluster),
    )


class Valued(Protocol):
    """A result of validation: doubly robust values with and without adapting."""

    @property
    def value(self) -> float:
        """With adapting."""
        ...

    @property
    def zero_shot_value(self) -> float:
        """Without adapting."""
        ...


def one_point_curve(result: Valued, began: float, progress: Progress | None) -> tuple[CurvePoint, ...]:
    """Return the learning curve of a learner that is fitted in one go: one point, reported to `progress` too.

    began: `time.perf_counter()` when learning began.
    """
    point = CurvePoint(0, math.nan, result.value, result.zero_shot_value, time.perf_counter() - began)
    if progress is not None:
        progress(point)
    return (point,)


def log_likelihoods(policies: Sequence[ScoredPolicy], start: WarmStart) -> Tensor:
    """Return the log-likelihood of every query round's reward [n] under the scores of its segment's policy.

    policies: one per validation task, in the order of `validation_tasks`. It is far less noisy than
    a value, so it decides whether adapting pays, and which prior or penalty to take.

    The level of each task is profiled out: scores are taken up to the constant that suits the task's
    query rounds best. A constant changes no choice, and where segments differ in nothing but how often
    they click at all, a learner of these levels alone would else seem to rank items better.
    """
    model = start.model
    terms = []
    for policy, part in zip(policies, validation_tasks(start), strict=True):
        query = part.query
        with torch.no_grad():
            scores = policy.score(query.context, query.slot, query.item_features, query.history)
        score = scores.gather(-1, query.action.unsqueeze(-1)).squeeze(-1)
        reward = query.reward / model.reward_scale
        level = best_level(score, reward, is_binary=model.is_binary)
        terms.append(-negative_log_likelihood(score + level, reward, is_binary=model.is_binary))
    return torch.cat(terms)


def best_level(score: Tensor, reward: Tensor, *, is_binary: bool) -> float:
    """Return the constant b under which scores [n] + b predict rewards [n] best, by Newton's method.

    Rewards that are all 0, or all 1, have no best constant: then one beyond which nothing changes.

    >>> round(best_level(torch.zeros(4), torch.tensor([1.0, 0.0, 0.0, 0.0]), is_binary=True), 4)
    -1.0986
    >>> best_level(torch.zeros(2), torch.tensor([1.0, 3.0]), is_binary=False)
    2.0
    """
    exact, seen = score.detach().double(), reward.double()
    if len(exact) == 0:
        return 0.0
    if not is_binary:
        return float((seen - exact).mean())
    level = 0.0
    for _ in range(_NEWTON_STEPS):
        expected = torch.sigmoid(exact + level)
        curvature = float((expected * (1.0 - expected)).sum())
        step = float((seen - expected).sum()) / max(curvature, 1e-12)
        # A full step from a flat place would overshoot.
        level = min(max(level + min(max(step, -1.0), 1.0), -_FARTHEST_LEVEL), _FARTHEST_LEVEL)
    return level


def _value_terms(policy: Policy, part: ValidationTask) -> Tensor:
    query = part.query
    probabilities = policy.action_probabilities(
        query.context, query.slot, query.item_features, query.availability(), query.history
    )
    return doubly_robust_terms(probabilities, query.action, query.propensity, query.reward, part.q_hat)


def _rounds_of(batch: Batch, task: int, like: LoggedRounds) -> LoggedRounds:
    """Return the real rows of one task of a padded batch, as the rounds they were, without clusters."""
    real = batch["mask"][task]
    action = batch["action"][task][real]
    history = None
    if like.history is not None:
        history = UserHistory(batch["history_state"][task][real], like.history.touches)
    return LoggedRounds(
        context=batch["context"][task][real],
        slot=batch["slot"][task][real],
        action=action,
        reward=batch["reward"][task][real],
        propensity=batch["propensity"][task][real],
        set_index=torch.arange(len(action), device=action.device),
        available=batch["available"][task][real],
        segment=torch.full_like(action, task),
        cluster=torch.arange(len(action), device=action.device),
        item_features=like.item_features,
        n_slots=like.n_slots,
        history=history,
    )
