"""Warm start: what learners begin with, a pooled two-tower reward model read as a policy.

Policy gradients from random weights don't find their way on sparse clicks; the scores of a reward model are a
policy already (softmax of log-odds), so learning starts by copying its parameters.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from features.contracts.findings import Finding
from features.errors import InputDataError
from offline_rl.logged_data import LoggedRounds, Tasks
from offline_rl.meta.curvature import largest_curvature
from offline_rl.meta.learning_settings import LearningSettings
from offline_rl.meta.read_out import choose_temperature
from offline_rl.meta.segment_objective import Kind, SegmentObjective
from offline_rl.meta.task_batches import pad_tasks, sample_rows
from offline_rl.meta.validation import Validation
from offline_rl.mixed_model.model import MixedModel
from offline_rl.policies.softmax_policy import SoftmaxPolicy
from offline_rl.reward_model import RewardModel, fit_reward_model

# Rounds that the curvature is measured on: enough for two digits, and quick with 160 items.
_CURVATURE_ROWS = 4096


@dataclass(frozen=True, eq=False)
class WarmStart:
    """Rounds to learn from, the start, the objective, and the validation segments.

    support, query, training: rounds of the segments that are trained on, on the training device.
    offset: the mixed model whose scores the rounds have as their offset, and which `model` adds its own to;
    None where it stands alone.
    """

    support: LoggedRounds
    query: LoggedRounds
    training: LoggedRounds
    segments: tuple[int, ...]
    model: RewardModel
    temperature: float
    validation: Validation
    notes: tuple[Finding, ...]
    offset: MixedModel | None = None

    def pooled_policy(self) -> SoftmaxPolicy:
        """Return the start itself, as a policy for every segment."""
        offset = None if self.offset is None else self.offset.score()
        return SoftmaxPolicy("pooled", self.model.parameters, self.temperature, offset)

    def parameters(self) -> dict[str, Tensor]:
        """Return the pooled model's parameters, to learn from."""
        return {name: value.detach().clone() for name, value in self.model.parameters.items()}

    def segments_with_query(self) -> list[int]:
        """Return the training segments that have query rounds too."""
        seen = set(self.query.segment.tolist())
        return [segment for segment in self.segments if segment in seen]

    def objective(self, kind: Kind, settings: LearningSettings) -> SegmentObjective:
        """Return a learner's objective in this log's units."""
        n, is_binary = self.training.n, self.model.is_binary
        mean = float(self.training.reward.to(torch.float64).mean())
        # A log without a single reward still needs units: half a success in it.
        share = min(max(mean, 0.5 / n), 1.0 - 0.5 / n)
        objective = SegmentObjective(
            kind=kind,
            temperature=self.temperature,
            is_binary=is_binary,
            reward_scale=self.model.reward_scale,
            mean_reward=share if is_binary else (mean or self.model.reward_scale),
            reward_variance=share * (1.0 - share) if is_binary else 1.0,
            shrinkage=settings.shrinkage,
            clip=settings.clip,
            kl_weight=settings.kl_weight,
            entropy_weight=settings.entropy_weight,
        )
        everyone = torch.arange(n, device=self.training.action.device)
        sampled = sample_rows([everyone], _CURVATURE_ROWS, torch.Generator().manual_seed(0))
        batch = pad_tasks(self.training, sampled)
        steepest = largest_curvature(objective.loss, self.parameters(), batch)
        return replace(objective, curvature=max(steepest, 1.0))


def warm_start(tasks: Tasks, *, hidden: int, seed: int) -> WarmStart:
    """Fit the pooled reward model, and choose how greedily to follow it.

    The model is first fitted on the support windows alone, so that query rounds can choose the temperature of
    its read-out; then again, with the same penalty, on support and query. Without a meta_validation segment
    the query rounds of the training segments are the validation rounds, and the start stays the model that
    has not seen them.
    tasks: on the device that learns. hidden: width of both towers.
    Raises InputDataError if there are no rounds to learn from.
    """
    segments, notes = training_segments(tasks)
    validating = with_both_windows(tasks, tasks.split("meta_validation"))
    early = fit_reward_model(tasks.window("support", segments), hidden=hidden, seed=seed)
    temperature = choose_temperature(early, tasks.window("query", [*segments, *validating]))
    training = tasks.window("training", segments)
    if validating:
        model = fit_reward_model(training, hidden=hidden, penalties=(early.penalty,), seed=seed)
        validation = Validation.crossed(tasks, validating, model)
    else:
        model, validating = early, own_validation_segments(tasks, segments)
        notes.append(FLATTERED)
        validation = Validation.ahead(tasks, validating, model)
    return WarmStart(
        support=tasks.window("support", segments),
        query=tasks.window("query", segments),
        training=training,
        segments=tuple(segments),
        model=model,
        temperature=temperature,
        validation=validation,
        notes=tuple(notes),
    )


FLATTERED = Finding("no_validation_segments", "meta_validation")
"""Note: the query rounds of the training segments decided when to stop, which flatters the learner."""


def training_segments(tasks: Tasks) -> tuple[list[int], list[Finding]]:
    """Return segments that are trained on, and notes on them; InputDataError if none has support rounds."""
    segments = _with_support(tasks, tasks.split("meta_train"))
    if segments:
        return segments, []
    everyone = _with_support(tasks, range(tasks.n_segments))
    if not everyone:
        raise InputDataError(
            "No segment has support rounds to learn from: widen the log's interval "
            "or lower the segment limits."
        )
    return everyone, [Finding("no_support_to_train_on", "meta_train")]


def _with_support(tasks: Tasks, segments: Sequence[int]) -> list[int]:
    seen = set(tasks.window("support", segments).segment.tolist())
    return [segment for segment in segments if segment in seen]


def own_validation_segments(tasks: Tasks, segments: Sequence[int]) -> list[int]:
    """Return the training segments that can serve as validation segments where there are no others.

    They have both windows. Raises InputDataError if there is none.
    """
    validating = with_both_windows(tasks, segments)
    if not validating:
        raise InputDataError(
            "No segment has both support and query rounds: widen the log's interval "
            "or lower the segment limits."
        )
    return validating


def with_both_windows(tasks: Tasks, segments: Sequence[int]) -> list[int]:
    """Return the segments, of those given, that have rounds in the support and in the query window."""
    seen = set(tasks.window("query", segments).segment.tolist())
    return [segment for segment in _with_support(tasks, segments) if segment in seen]
