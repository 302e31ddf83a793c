"""The outer loop that all learners share: warm start, steps along a learner's direction, convergence."""

import math
import time
from collections.abc import Callable

import torch
from torch import Tensor

from features.errors import MetacartError
from offline_rl.meta.convergence import Convergence, Look, sure_gain
from offline_rl.meta.learner import CurvePoint, LearningSettings, MetaPolicy, Progress
from offline_rl.meta.segment_objective import SegmentObjective
from offline_rl.meta.warm_start import WarmStart

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
) -> MetaPolicy:
    """Adam along `direction` from the warm start until validation says stop; the best step's policy.

    The rate falls to zero along a cosine, and directions longer than gradient_norm are shortened to it.
    Where adaptation never beats the zero-shot policy, it is switched off and the pooled model is returned.
    Raises MetacartError if the parameters stop being finite.
    """
    began = time.perf_counter()
    generator = torch.Generator().manual_seed(seed)
    params = start.parameters()
    optimizer = torch.optim.Adam(list(params.values()), lr=settings.outer_lr)
    look = start.validation.look(0, params, objective, settings.inner_lr, inner_steps)
    state = Convergence.start(look, start.validation.cluster, settings.patience)
    curve: list[CurvePoint] = []
    losses: list[float] = []

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
        if not math.isfinite(loss):
            raise MetacartError(
                f"{name} diverged at step {step}: lower outer_lr ({settings.outer_lr:g}) or "
                f"inner_lr ({settings.inner_lr:g}) in the learning settings."
            )
        optimizer.param_groups[0]["lr"] = settings.outer_lr * _cosine(step, settings.max_steps)
        _step(optimizer, params, gradient, settings.gradient_norm)
        if step % settings.evaluate_every == 0:
            look = start.validation.look(step, params, objective, settings.inner_lr, inner_steps)
            state = state.after(look)
            report(look)
            if state.is_over:
                break
    chosen, is_adapting, notes = _conclude(state, inner_steps, settings.max_steps)
    values = chosen.values if is_adapting else chosen.zero_shot_values
    return MetaPolicy(
        name=name,
        parameters=chosen.parameters,
        objective=objective,
        inner_lr=settings.inner_lr,
        inner_steps=inner_steps if is_adapting else 0,
        minimum_rounds=settings.minimum_rounds,
        minimum_ess=settings.minimum_ess,
        validation_value=float(values.mean()),
        validation_gain=sure_gain(values - state.first.zero_shot_values, state.cluster),
        curve=tuple(curve),
        notes=(*start.notes, *notes),
    )


def _step(
    optimizer: torch.optim.Optimizer, params: dict[str, Tensor], gradient: dict[str, Tensor], longest: float
) -> None:
    for name, value in params.items():
        value.grad = gradient[name]
    torch.nn.utils.clip_grad_norm_(list(params.values()), longest)
    optimizer.step()


def _cosine(step: int, steps: int) -> float:
    return 0.5 * (1.0 + math.cos(math.pi * (step - 1) / steps))


def _conclude(state: Convergence, inner_steps: int, max_steps: int) -> tuple[Look, bool, list[str]]:
    """The step to keep, whether to adapt from it, and what to say about it."""
    if inner_steps > 0 and not state.adaptation_pays:
        switched_off = (
            "Adaptation switched off: on the validation segments it never beat the zero-shot policy by a "
            "standard error, so the pooled model serves every segment."
        )
        return state.first, False, [switched_off]
    notes = []
    if state.best.step == 0 and max_steps > 0:
        notes.append("No step convincingly beat the warm start, so its parameters are kept.")
    return state.best, inner_steps > 0, notes
