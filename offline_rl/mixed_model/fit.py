"""Fit of a mixed model: posterior mode by Newton's method, prior variances by empirical Bayes.

    score_i = level + sum over levels of x_i' (w_item(a_i) + sum_f z_f(a_i) w_f),   w ~ N(0, v_block)

for the logged item a_i of round i. For 0/1 rewards the score is the log-odds, for others the mean reward.
Levels are fitted in turn, each given the others (backfitting), while the variances settle.
Sources: MacKay 1992 for the variances; Breslow & Clayton 1993, section 2, for the mode (penalized
quasi-likelihood); Buja, Hastie & Tibshirani 1989 for the backfitting.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from offline_rl.mixed_model.arrowhead import Precisions, Solution, solve_arrowhead
from offline_rl.mixed_model.haseman_elston import moment_variances
from offline_rl.mixed_model.level import CellRows, Coefficients, Level
from offline_rl.mixed_model.variances import MOST, SCALE, updated_variance

START = 0.05
"""Variance that blocks start from: effects of 0.2 in log-odds."""

FREE = 1e4
"""Variance of a block without a prior."""

ROUNDS = 8
"""Rounds of empirical Bayes; more would change what is served by less than noise."""

FEWEST_GROUPS = 20
"""Fewest equal groups that products of residuals must be worth for their scatter to be a usable error."""

SURE = 2.0
"""Standard errors by which a variance from products of residuals is lowered before it is used."""

_HALVINGS = 8


@dataclass(frozen=True)
class FitSettings:
    """rounds: of empirical Bayes, 0 to keep the variances given; settling: Newton passes afterwards.

    scale: of the prior on variances, see `variances`.
    """

    rounds: int = ROUNDS
    settling: int = 3
    scale: float = SCALE


@dataclass(frozen=True, eq=False)
class Fitted:
    """base: the score of a round about which nothing is known.

    coefficients: one for each level. variances [len(blocks)] of each level. noise: variance of a reward
    around its score, 1 for 0/1 rewards.
    """

    base: float
    coefficients: tuple[Coefficients, ...]
    variances: tuple[Tensor, ...]
    noise: float


@dataclass(frozen=True, eq=False)
class LevelRows:
    """A level and the rounds that it is fitted on."""

    level: Level
    rows: CellRows


def start_variances(level: Level) -> Tensor:
    """Return the variances that a fit starts from: [len(blocks)]."""
    values = [FREE if block.is_free else START for block in level.blocks]
    return torch.tensor(values, dtype=torch.float64, device=level.item_block.device)


def fit_mixed_model(
    parts: Sequence[LevelRows],
    features: Tensor,
    reward: Tensor,
    *,
    is_binary: bool,
    settings: FitSettings,
    variances: Sequence[Tensor] | None = None,
    offset: Tensor | None = None,
    noise: float = 1.0,
) -> Fitted:
    """Fit all levels to rewards [n]; features float64 [A, F].

    variances: to start from, by default START everywhere. offset [n]: scores that the levels add to, such as
    those of a model that is not fitted again; the noise is then as given.
    Raises ValueError if there are no rounds.
    """
    if len(reward) == 0:
        raise ValueError("A mixed model can't be fitted on no rounds: give it the rounds of some segment.")
    y = reward.double()
    found = [start_variances(part.level) for part in parts] if variances is None else list(variances)
    fit = _Fit(parts, features, y, is_binary=is_binary, offset=offset, noise=noise)
    for step in range(settings.rounds + settings.settling):
        if offset is None:
            fit.estimate_noise()
        for place, part in enumerate(parts):
            is_learning = step < settings.rounds
            solution = fit.newton_step(place, found[place], with_variances=is_learning)
            if is_learning:
                found[place] = _updated(part.level, found[place], fit.coefficients[place], solution, settings)
        if step == settings.rounds - 1:
            found = [fit.raised(place, variances) for place, variances in enumerate(found)]
    return Fitted(fit.base, tuple(fit.coefficients), tuple(found), fit.noise)


class _Fit:
    """The state of a fit: coefficients, and the scores that they give the rounds."""

    def __init__(
        self,
        parts: Sequence[LevelRows],
        features: Tensor,
        y: Tensor,
        *,
        is_binary: bool,
        offset: Tensor | None,
        noise: float,
    ) -> None:
        self.parts, self.features, self.y, self.is_binary = parts, features, y, is_binary
        self.base = base_score(y, is_binary=is_binary) if offset is None else 0.0
        self.coefficients = [Coefficients.zeros(part.level, part.rows.n_items) for part in parts]
        self.score = torch.full_like(y, self.base) if offset is None else offset.double()
        self.noise = noise

    def estimate_noise(self) -> None:
        """Set the noise of rewards that aren't 0/1 to their mean square around the scores."""
        if not self.is_binary:
            self.noise = max(float((self.y - self.score).square().mean()), 1e-12)

    def newton_step(self, place: int, variances: Tensor, *, with_variances: bool) -> Solution:
        """Move one level's coefficients to the maximum of the quadratic around them, or part of the way."""
        part, held = self.parts[place], self.coefficients[place]
        residual, curvature = self._derivatives(self.score)
        precisions = part.level.precisions(variances)
        moment = part.rows.moments(residual)
        solution = solve_arrowhead(
            part.rows.gram(curvature),
            self.features,
            precisions,
            torch.where(precisions.item > 0, moment - precisions.item * held.item, 0.0),
            torch.einsum("af,tad->tfd", self.features, moment) - precisions.feature * held.feature,
            with_variances=with_variances,
        )
        step = Coefficients(solution.item, solution.feature)
        along = part.rows.scores(step.of_items(self.features))
        now, share = self._cost(self.score, held, precisions), 1.0
        # A Newton step far from the mode may overshoot; half of it, and half again, can't forever.
        for _ in range(_HALVINGS):
            moved = held.plus(step, share)
            if self._cost(self.score + share * along, moved, precisions) <= now + 1e-9 * abs(now):
                self.coefficients[place] = moved
                self.score = self.score + share * along
                break
            share /= 2.0
        return solution

    def raised(self, place: int, variances: Tensor) -> Tensor:
        """Return a level's variances, raised to what products of residuals say they are at least.

        Only what many groups have in common can be known so; and where nothing ever succeeded, or all did,
        residuals are alike for another reason.
        """
        part, held = self.parts[place], self.coefficients[place]
        is_alike = bool((self.y == self.y[0]).all())
        if part.level.n_groups < FEWEST_GROUPS or is_alike:
            return variances
        without = self.score - part.rows.scores(held.of_items(self.features))
        found = moment_variances(part.level, part.rows, self.features, *self._derivatives(without))
        surely = (found.value - SURE * found.error).clamp_max(MOST)
        return torch.where(found.groups >= FEWEST_GROUPS, torch.maximum(variances, surely), variances)

    def _derivatives(self, score: Tensor) -> tuple[Tensor, Tensor]:
        """Return the gradient and curvature of the log-likelihood by each round's score, at these scores."""
        if not self.is_binary:
            return (self.y - score) / self.noise, torch.full_like(self.y, 1.0 / self.noise)
        mean = torch.sigmoid(score)
        return self.y - mean, (mean * (1.0 - mean)).clamp_min(1e-9)

    def _cost(self, score: Tensor, coefficients: Coefficients, precisions: Precisions) -> float:
        if self.is_binary:
            costs = torch.nn.functional.softplus(score) - self.y * score
        else:
            costs = (self.y - score).square() / (2.0 * self.noise)
        prior = (precisions.item * coefficients.item.square()).sum()
        prior = prior + (precisions.feature * coefficients.feature.square()).sum()
        return float(costs.sum() + 0.5 * prior)


def base_score(reward: Tensor, *, is_binary: bool) -> float:
    """Return the score of the mean reward; half a success and half a failure more, where rewards are 0/1.

    >>> base_score(torch.tensor([0.0, 1.0]), is_binary=True)
    0.0
    """
    total, rounds = float(reward.sum()), float(len(reward))
    if not is_binary:
        return total / rounds
    share = (total + 0.5) / (rounds + 1.0)
    return math.log(share / (1.0 - share))


def _updated(
    level: Level, variances: Tensor, coefficients: Coefficients, solution: Solution, settings: FitSettings
) -> Tensor:
    """Return the variances after one step of empirical Bayes."""
    assert solution.item_variance is not None and solution.feature_variance is not None
    values = variances.clone()
    for position, block in enumerate(level.blocks):
        if block.is_free:
            continue
        of_item, of_feature = level.item_block == position, level.feature_block == position
        held = torch.cat(
            [coefficients.item[..., of_item].flatten(), coefficients.feature[:, of_feature].flatten()]
        )
        spread = torch.cat(
            [
                solution.item_variance[..., of_item].flatten(),
                solution.feature_variance[:, of_feature].flatten(),
            ]
        )
        if len(held):
            values[position] = updated_variance(
                float(variances[position]),
                squares=float(held.square().sum()),
                trace=float(spread.sum()),
                size=len(held),
                scale=settings.scale,
            )
    return values
