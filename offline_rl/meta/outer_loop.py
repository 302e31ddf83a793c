"""The outer loop that all learners share: warm start, steps along a learner's direction, convergence."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import Tensor

from features.contracts.findings import Finding, finding
from offline_rl.meta.adaptation import distance_moved
from offline_rl.meta.convergence import Convergence, Look, sure_gain
from offline_rl.meta.gradient_meta_policy import GradientMetaPolicy
from offline_rl.meta.inner_step import InnerStep, is_learned_number, network_of
from offline_rl.meta.learning_settings import LearningSettings
from offline_rl.meta.meta_policy import CurvePoint, Progress
from offline_rl.meta.segment_objective import SegmentObjective
from offline_rl.meta.validation import adapted_to_support
from offline_rl.meta.warm_start import WarmStart

RATE_SPEED = 10.0
"""How much faster than the network the logarithms of rates and kappa are learned: with outer_lr 0.005 a step
changes a rate by at most about 5 %."""

REACH = 2.0
"""How far a segment may move, as a multiple of the furthest move among the validation segments.  Served
segments adapt to support and query together, so a little further than validation is no accident."""

SMOOTHING = 0.7
"""Weight of the past in the moving average of the gradient's norm."""

GRADIENT_FLOOR = 1e-3
"""Share of its first value below which the gradient's smoothed norm ends training: nothing is left to do."""

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
    """Adam along `direction` from the warm start until validation says stop; the best step's policy.

    The rate falls to zero along a cosine, and directions longer than gradient_norm are shortened to it.
    Training ends when patience does, when the gradient has vanished, after max_steps, or when a number stops
    being finite: then the best look so far is kept and the notes say so.  Where adaptation never beats the
    zero-shot policy, it is switched off and the pooled model is returned.
    inner_step: which tensors adapt, and what of their steps is learned with them; by default all, by
    settings.inner_lr.  `direction` is given its learned numbers among the params.
    """
    how = inner_step or InnerStep(settings.inner_lr, inner_steps)
    began = time.perf_counter()
    generator = torch.Generator().manual_seed(seed)
    network = start.parameters()
    params = {**network, **how.learned(objective, network["level"])}
    optimizer = _optimizer(params, settings)
    look = _first_look(params, start, objective, how)
    state = Convergence.start(look, start.validation.cluster, settings.patience)
    curve: list[CurvePoint] = []
    losses: list[float] = []
    norms: list[float] = []
    notes: list[Finding] = []

    def report(look: Look) -> None:
        loss = sum(losses) / len(losses) if losses else math.nan
        curve.append(
            CurvePoint(look.step, loss, look.value, look.zero_shot_value, time.perf_counter() - began)
        )
        losses.clear()
        if progress is not None:
            progress(curve[-1])

    report(look)
    for step in range(1, settings.max_steps + 1):
        loss, gradient = direction(params, generator)
        losses.append(loss)
        norms.append(_norm(gradient))
        if not (math.isfinite(loss) and math.isfinite(norms[-1])):
            notes.append(_diverged(name, step, state, settings))
            break
        _step(optimizer, params, gradient, settings.gradient_norm, _cosine(step, settings.max_steps))
        if step % settings.evaluate_every == 0:
            look = _look(step, params, start, objective, how)
            if not _is_finite(look):
                notes.append(_diverged(name, step, state, settings))
                break
            state = state.after(look)
            report(look)
            if state.is_over or _has_vanished(norms):
                break
    chosen, is_adapting, concluded = _conclude(name, state, inner_steps, settings.max_steps)
    values = chosen.values if is_adapting else chosen.zero_shot_values
    return GradientMetaPolicy(
        name=name,
        parameters=network_of(chosen.parameters),
        objective=how.objective(chosen.parameters, objective),
        inner_lr=how.inner_lr,
        inner_steps=inner_steps if is_adapting else 0,
        minimum_rounds=settings.minimum_rounds,
        minimum_ess=settings.minimum_ess,
        validation_value=float(values.mean()),
        validation_gain=sure_gain(values - state.first.zero_shot_values, state.cluster),
        curve=tuple(curve),
        notes=(*start.notes, *notes, *concluded),
        rates=_rates(chosen.parameters, how) if is_adapting else {},
        longest_move=REACH * _furthest_move(chosen.parameters, start, objective, how) if is_adapting else 0.0,
        offset=start.offset,
    )


def _optimizer(params: Mapping[str, Tensor], settings: LearningSettings) -> torch.optim.Optimizer:
    """Adam, with its rate as the group's `peak`; learned rates and kappa are a faster group of their own."""
    network = [value for name, value in params.items() if not is_learned_number(name)]
    numbers = [value for name, value in params.items() if is_learned_number(name)]
    groups = [{"params": network, "peak": settings.outer_lr}]
    if numbers:
        groups.append({"params": numbers, "peak": RATE_SPEED * settings.outer_lr})
    return torch.optim.Adam(groups, lr=settings.outer_lr)


def _look(
    step: int, params: Mapping[str, Tensor], start: WarmStart, objective: SegmentObjective, how: InnerStep
) -> Look:
    """What validation sees at a step; the look keeps all meta-parameters, learned numbers included."""
    meta = {name: value.detach().clone() for name, value in params.items()}
    look = start.validation.look(
        step, network_of(meta), how.objective(meta, objective), how.size(meta), how.inner_steps
    )
    return replace(look, parameters=meta)


def _first_look(
    params: Mapping[str, Tensor], start: WarmStart, objective: SegmentObjective, how: InnerStep
) -> Look:
    """The look at the warm start, taken as zero-shot where its adaptation overflows."""
    look = _look(0, params, start, objective, how)
    if _is_finite(look):
        return look
    return replace(look, adapted=look.zero_shot, values=look.zero_shot_values)


def _is_finite(look: Look) -> bool:
    terms = (look.adapted, look.zero_shot, look.values, look.zero_shot_values)
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
    """Whether the smoothed norm of the gradient has fallen below its floor."""
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


def _rates(meta: Mapping[str, Tensor], how: InnerStep) -> dict[str, Tensor]:
    size = how.size(meta)
    return {} if isinstance(size, float) else dict(size)


def _furthest_move(
    meta: Mapping[str, Tensor], start: WarmStart, objective: SegmentObjective, how: InnerStep
) -> float:
    """The longest |theta_K - theta_0| among the validation tasks."""
    learned, size = how.objective(meta, objective), how.size(meta)
    moves = [
        distance_moved(*adapted_to_support(batch, network_of(meta), learned, size, how.inner_steps)).max()
        for batch in start.validation.batches
    ]
    return float(torch.stack(moves).max().detach())


def _conclude(
    name: str, state: Convergence, inner_steps: int, max_steps: int
) -> tuple[Look, bool, list[Finding]]:
    """The step to keep, whether to adapt from it, and what to say about it."""
    if inner_steps > 0 and not state.adaptation_pays:
        return state.first, False, [Finding("adaptation_off", name)]
    notes: list[Finding] = []
    if state.best.step == 0 and max_steps > 0:
        notes.append(Finding("start_kept", name))
    return state.best, inner_steps > 0, notes
