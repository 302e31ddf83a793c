"""The outer loop of the Bayesian last layer: a prior from which half of a segment's rounds predict the rest.

    minimize  sum_{i in second half} NLL(f_i + psi_i·w*(first half), r_i)

over the prior's scales and the network phi, with w* the posterior mode. The halves are drawn anew in every
step, so that no pair of them can be learned by heart. f is cross-fitted: a pooled model that has seen a
segment's rewards has followed them a little, and segments would look more alike than they are.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from features.errors import MetacartError
from offline_rl.logged_data import LoggedRounds
from offline_rl.meta.bayesian_features import row_features
from offline_rl.meta.bayesian_posterior import LOOSE, evidence_of, posterior_mode
from offline_rl.meta.task_batches import Batch, pad_tasks
from offline_rl.objectives import masked_mean
from offline_rl.reward_model import negative_log_likelihood
from offline_rl.two_tower import Parameters

TILTS = ("context_tilt", "item_tilt")


@dataclass(frozen=True, eq=False)
class Logged:
    """Rounds to learn from: their rows by segment, and the scores [n] that deviations are added to.

    Rewards are in units of the scores.
    """

    rounds: LoggedRounds
    offset: Tensor
    rows: Sequence[Tensor]
    is_binary: bool

    def halves(self, tasks: int, rows: int, generator: torch.Generator) -> tuple[Batch, Batch]:
        """Draw up to `tasks` segments and two disjoint random halves of each, of at most `rows` rounds."""
        drawn = torch.randperm(len(self.rows), generator=generator)[:tasks].tolist()
        first, second = [], []
        for task in drawn:
            own = self.rows[task]
            order = torch.randperm(len(own), generator=generator).to(own.device)
            half = min(len(own) // 2, rows)
            first.append(own[order[:half]])
            second.append(own[order[half : half + rows]])
        values = {"offset": self.offset}
        return pad_tasks(self.rounds, first, values), pad_tasks(self.rounds, second, values)


@dataclass(frozen=True)
class PriorSchedule:
    """Settings of learning the prior.

    Adam, decayed to zero along a cosine over max_steps, with `rate` for the scales, tilt_rate for what tilts
    them, and phi_rate for phi, whose output weight_decay pulls to zero. tilt_deviation: the prior's own
    prior, by how much the scales of columns differ on the log scale, because few segments can't
    identify many scales. tasks segments and rows rounds of each half are drawn in a step. Every
    evaluate_every steps is a checkpoint; after patience checkpoints without a new best it is over.
    """

    max_steps: int
    evaluate_every: int
    patience: int
    gradient_norm: float
    rate: float
    tilt_rate: float
    tilt_deviation: float
    phi_rate: float
    weight_decay: float
    tasks: int
    rows: int


Measure = Callable[[int, float, Parameters], float]
"""measure(step, loss since the last checkpoint, prior) → mean log-likelihood of the validation rewards."""


def learn_prior(
    logged: Logged,
    prior: Parameters,
    schedule: PriorSchedule,
    measure: Measure,
    generator: torch.Generator,
) -> dict[str, Tensor]:
    """Learn a prior, starting from `prior`, and return that of the best checkpoint.

    Raises MetacartError if the loss stops being finite.
    """
    params = {key: value.detach().clone().requires_grad_() for key, value in prior.items()}
    phi = [params[key] for key in ("hidden_weight", "hidden_bias")]
    tilts = [params[key] for key in TILTS]
    scales = [value for key, value in params.items() if key.startswith("log_")]
    optimizer = torch.optim.AdamW(
        [
            {"params": scales, "lr": schedule.rate, "weight_decay": 0.0},
            {"params": tilts, "lr": schedule.tilt_rate, "weight_decay": 0.0},
            {"params": phi, "lr": schedule.phi_rate, "weight_decay": 0.0},
            {"params": [params["output"]], "lr": schedule.phi_rate, "weight_decay": schedule.weight_decay},
        ]
    )
    decay = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: 0.5 * (1.0 + math.cos(math.pi * step / max(schedule.max_steps, 1)))
    )
    best, best_value, since = _copy(params), measure(0, math.nan, params), 0
    losses: list[float] = []
    for step in range(1, schedule.max_steps + 1):
        halves = logged.halves(schedule.tasks, schedule.rows, generator)
        # The loss is a mean over rounds, so the tilts' prior is shared by all rounds too.
        tilt = torch.cat(tilts).square().sum() / schedule.tilt_deviation**2
        loss = prediction_loss(params, logged, *halves) + 0.5 * tilt / logged.rounds.n
        if not math.isfinite(loss.item()):
            raise MetacartError(f"The Bayesian last layer diverged at step {step}: lower its rates.")
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(list(params.values()), schedule.gradient_norm)
        optimizer.step()
        decay.step()
        if step % schedule.evaluate_every == 0:
            value = measure(step, sum(losses) / len(losses), params)
            losses.clear()
            since += 1
            if value > best_value:
                best, best_value, since = _copy(params), value, 0
            if since >= schedule.patience:
                break
    return best


def prediction_loss(prior: Parameters, logged: Logged, support: Batch, query: Batch) -> Tensor:
    """Return the mean negative log-likelihood of the query's rewards after adapting to the support."""
    evidence = evidence_of(prior, support, is_binary=logged.is_binary)
    weights = posterior_mode(evidence, differentiable=True, tolerance=LOOSE)
    score = query["offset"] + row_features(prior, query).times(weights)
    costs = negative_log_likelihood(score, query["reward"], is_binary=logged.is_binary)
    return masked_mean(costs.flatten(), query["mask"].flatten())


def _copy(params: Parameters) -> dict[str, Tensor]:
    return {key: value.detach().clone() for key, value in params.items()}
