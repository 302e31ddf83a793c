"""The outer loop that all learners share: warm start, steps along a learner's direction, convergence."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import Tensor

from features.contracts.findings import Finding, finding
from offline_rl.meta.adaptation import distance_moved
from offline_rl.meta.convergence import Checkpoint, Convergence, sure_gain
from offline_rl.meta.gradient_meta_policy import GradientMetaPolicy
from offline_rl.meta.inner_step import InnerStep, is_learned_number, network_of
from offline_rl.meta.learning_settings import LearningSettings
from offline_rl.meta.meta_policy import CurvePoint, Progress
from offline_rl.meta.segment_objective import SegmentObjective
from offline_rl.meta.validation import adapted_to_support
from offline_rl.meta.warm_start import WarmStart

RATE_SPEED = 10.0
"""Factor on the network's rate for the logarithms of rates and kappa: with outer_lr 0.005 a step
changes a rate by at most about 5 %."""

REACH = 2.0
"""Largest move of a segment, as a multiple of the furthest move among the validation segments. Served
segments adapt to support and query together, so they may move a little further than validation tasks."""

SMOOTHING = 0.7
"""Weight of the past in the moving average of the gradient's norm."""

GRADIENT_FLOOR = 1e-3
"""Share of its first value below which the gradient's smoothed norm ends training: it has converged."""

Direction = Callable[[dict[str, Tensor], torch.Generator], tuple[float, dict[str, Tensor]]]
"""direction(params, generator) → (loss, gradient-like tensors to descend along): what makes a learner."""


def descend(
    name: str,
    start: WarmStart,
    objective: SegmentObjective,
    direction: Direction,
    *,
    settings: LearningSettings,
    seed: int,
    inner_steps: int,
    progress: Progress | None,
    inner_step: InnerStep | None = None,
) -> GradientMetaPolicy:
    """Descend along `direction` by Adam until validation stops it, and return the best checkpoint's policy.

    The rate falls to zero along a cosine, and directions longer than gradient_norm are shortened to it.
    Training ends when patience runs out, when the gradient has vanished, after max_steps, or when a number
    stops
    being finite: then the best checkpoint so far is kept and the notes say so. Where adaptation never beats
    the zero-shot policy, it is switched off and the pooled model is returned.
    inner_step: which tensors adapt, and what of their steps is learned with them; by default all, by
    settings.inner_lr. `direction` is given its learned numbers among the params.
    """
    inner_step = inner_step or InnerStep(settings.inner_lr, inner_steps)
    began = time.perf_counter()
    generator = torch.Generator().manual_seed(seed)
    network = start.parameters()
    params = {**network, **inner_step.learned(objective, network["level"])}
    optimizer = _optimizer(params, settings)
    checkpoint = _first_checkpoint(params, start, objective, inner_step)
    state = Convergence.start(checkpoint, start.validation.cluster, settings.patience)
    curve: list[CurvePoint] = []
    losses: list[float] = []
    norms: list[float] = []
    notes: list[Finding] = []

    def report(checkpoint: Checkpoint) -> None:
        loss = sum(losses) / len(losses) if losses else math.nan
        curve.append(
            CurvePoint(
                checkpoint.step,
                loss,
                checkpoint.value,
                checkpoint.zero_shot_value,
                time.perf_counter() - began,
            )
        )
        losses.clear()
        if progress is not None:
            progress(curve[-1])

    report(checkpoint)
    for step in range(1, settings.max_steps + 1):
        loss, gradient = direction(params, generator)
        losses.append(loss)
        norms.append(_norm(gradient))
        if not (math.isfinite(loss) and math.isfinite(norms[-1])):
            notes.append(_diverged(name, step, state, settings))
            break
        _step(optimizer, params, gradient, settings.gradient_norm, _cosine(step, settings.max_steps))
        if step % settings.evaluate_every == 0:
            checkpoint = _checkpoint(step, params, start, objective, inner_step)
            if not _is_finite(checkpoint):
                notes.append(_diverged(name, step, state, settings))
                break
            state = state.after(checkpoint)
            report(checkpoint)
            if state.is_over or _has_vanished(norms):
                break
    chosen, is_adapting, concluded = _conclude(name, state, inner_steps, settings.max_steps)
    values = chosen.values if is_adapting else chosen.zero_shot_values
    return GradientMetaPolicy(
        name=name,
        parameters=network_of(chosen.parameters),
        objective=inner_step.objective(chosen.parameters, objective),
        inner_lr=inner_step.inner_lr,
        inner_steps=inner_steps if is_adapting else 0,
        minimum_rounds=settings.minimum_rounds,
        minimum_ess=settings.minimum_ess,
        validation_value=float(values.mean()),
        validation_gain=sure_gain(values - state.first.zero_shot_values, state.cluster),
        curve=tuple(curve),
        notes=(*start.notes, *notes, *concluded),
        rates=_rates(chosen.parameters, inner_step) if is_adapting else {},
        longest_move=REACH * _furthest_move(chosen.parameters, start, objective, inner_step)
        if is_adapting
        else 0.0,
        offset=start.offset,
    )


def _optimizer(params: Mapping[str, Tensor], settings: LearningSettings) -> torch.optim.Optimizer:
    """Return Adam, with its rate as the group's `peak`; learned rates and kappa form a faster group."""
    network = [value for name, value in params.items() if not is_learned_number(name)]
    numbers = [value for name, value in params.items() if is_learned_number(name)]
    groups = [{"params": network, "peak": settings.outer_lr}]
    if numbers:
        groups.append({"params": numbers, "peak": RATE_SPEED * settings.outer_lr})
    return torch.optim.Adam(groups, lr=settings.outer_lr)


def _checkpoint(
    step: int,
    params: Mapping[str, Tensor],
    start: WarmStart,
    objective: SegmentObjective,
    inner_step: InnerStep,
) -> Checkpoint:
    """Return the checkpoint of a step, with all meta-parameters, learned numbers included."""
    meta = {name: value.detach().clone() for name, value in params.items()}
    checkpoint = start.validation.measure(
        step,
        network_of(meta),
        inner_step.objective(meta, objective),
        inner_step.size(meta),
        inner_step.inner_steps,
    )
    return replace(checkpoint, parameters=meta)


def _first_checkpoint(
    params: Mapping[str, Tensor], start: WarmStart, objective: SegmentObjective, inner_step: InnerStep
) -> Checkpoint:
    """Return the checkpoint at the warm start, as zero-shot where its adaptation overflows."""
    checkpoint = _checkpoint(0, params, start, objective, inner_step)
    if _is_finite(checkpoint):
        return checkpoint
    return replace(checkpoint, adapted=checkpoint.zero_shot, values=checkpoint.zero_shot_values)


def _is_finite(checkpoint: Checkpoint) -> bool:
    terms = (checkpoint.adapted, checkpoint.zero_shot, checkpoint.values, checkpoint.zero_shot_values)
    return all(bool(torch.isfinite(part).all()) for part in terms)


def _diverged(name: str, step: int, state: Convergence, settings: LearningSettings) -> Finding:
    return finding(
        "diverged",
        name,
        step=step,
        kept_step=state.best.step,
        outer_lr=settings.outer_lr,
        inner_lr=settings.inner_lr,
    )


def _norm(gradient: Mapping[str, Tensor]) -> float:
    return float(torch.stack([value.square().sum() for value in gradient.values()]).sum().sqrt())


def _has_vanished(norms: list[float]) -> bool:
    """Return whether the smoothed norm of the gradient has fallen below its floor."""
    smoothed = norms[0]
    for norm in norms[1:]:
        smoothed = SMOOTHING * smoothed + (1.0 - SMOOTHING) * norm
    return smoothed <= GRADIENT_FLOOR * norms[0]


def _step(
    optimizer: torch.optim.Optimizer,
    params: dict[str, Tensor],
    gradient: dict[str, Tensor],
    longest: float,
    share: float,
) -> None:
    for group in optimizer.param_groups:
        group["lr"] = share * group["peak"]
    for name, value in params.items():
        value.grad = gradient[name]
    torch.nn.utils.clip_grad_norm_(list(params.values()), longest)
    optimizer.step()


def _cosine(step: int, steps: int) -> float:
    return 0.5 * (1.0 + math.cos(math.pi * (step - 1) / steps))


def _rates(meta: Mapping[str, Tensor], inner_step: InnerStep) -> dict[str, Tensor]:
    size = inner_step.size(meta)
    return {} if isinstance(size, float) else dict(size)


def _furthest_move(
    meta: Mapping[str, Tensor], start: WarmStart, objective: SegmentObjective, inner_step: InnerStep
) -> float:
    """Return the longest |theta_K - theta_0| among the validation tasks."""
    learned, size = inner_step.objective(meta, objective), inner_step.size(meta)
    moves = [
        distance_moved(
            *adapted_to_support(batch, network_of(meta), learned, size, inner_step.inner_steps)
        ).max()
        for batch in start.validation.batches
    ]
    return float(torch.stack(moves).max().detach())


def _conclude(
    name: str, state: Convergence, inner_steps: int, max_steps: int
) -> tuple[Checkpoint, bool, list[Finding]]:
    """Return the step to keep, whether to adapt from it, and what to say about it."""
    if inner_steps > 0 and not state.adaptation_pays:
        return state.first, False, [Finding("adaptation_off", name)]
    notes: list[Finding] = []
    if state.best.step == 0 and max_steps > 0:
        notes.append(Finding("start_kept", name))
    return state.best, inner_steps > 0, notes
