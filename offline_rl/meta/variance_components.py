"""Variance components: how much segments differ, estimated from the residuals of all of them."""

import torch
from torch import Tensor

from offline_rl.meta.segment_effects import EffectPrior, ResidualSums, effect_posterior

START = 0.1
"""Variance that the iteration starts from: effects of 0.3 in log-odds."""

NEGLIGIBLE = 1e-4
"""Variance below which a prior variance is set to 0: effects of 0.01 in log-odds change no choice."""

_ITERATIONS = 200


def estimate_prior(
    sums: ResidualSums, loading: Tensor, *, is_binary: bool, iterations: int = _ITERATIONS
) -> EffectPrior:
    """Estimate prior variances, and the dispersion where rewards are not 0/1, by maximum marginal likelihood.

        T_k <- sum_cells m_k^2 / sum_cells (1 - C_kk / T_k)

    with m, C the posterior mean and covariance. It has the fixed points of EM (T = mean(m^2 + C_kk)), and
    reaches those at zero in tens of steps instead of thousands; cells without rounds, which only slow EM,
    have no part in it. What does not vary between segments ends at zero and is pruned.
    Source: Harville 1977, section 5; MacKay 1992, eq. 4.4.

    A 0/1 reward has no dispersion of its own: it is 1. For others it is (sum e^2/w - sum m'c) / n.
    """
    k = sums.moment.shape[-1]
    shared = torch.full((loading.shape[1],), START, dtype=torch.float64)
    action = torch.full((k,), START, dtype=torch.float64)
    dispersion = 1.0 if is_binary or sums.n == 0 else max(sums.squares / sums.n, 1e-12)
    for _ in range(iterations):
        posterior = effect_posterior(sums, loading, EffectPrior(shared, action, dispersion))
        learned_shared = 1.0 - posterior.shared_covariance.diagonal(dim1=-2, dim2=-1)
        learned_action = 1.0 - posterior.action_variances()
        new_shared = shared * _ratio(posterior.shared_mean, learned_shared, (0,))
        new_action = action * _ratio(posterior.action_mean, learned_action, (0, 1))
        if not is_binary and sums.n:
            explained = float((posterior.coefficients() * sums.moment).sum())
            dispersion = max((sums.squares - explained) / sums.n, 1e-12)
        settled = _settled(shared, new_shared) and _settled(action, new_action)
        shared, action = new_shared, new_action
        if settled:
            break
    return EffectPrior(_pruned(shared), _pruned(action), dispersion)


def varying_columns(
    columns: Tensor,
    weight: Tensor,
    residual: Tensor,
    cell: Tensor,
    cells: int,
    *,
    at_most: int = 8,
    least_score: float = 2.0,
) -> list[int]:
    """Return the context columns whose effect differs between cells (segment and item), the clearest first.

    Score test of T_k = 0. With x~ the column less its weighted mean in the cell, so that the cell's
    intercept has no part in it,

        d_cell = (sum x~ e)^2 - sum x~^2 e^2,   score_k = sum d / sqrt(sum d^2)

    is about N(0, 1) where the effect of the column does not vary: d sums the products of different rounds,
    which only a common effect gives a mean. Noise, however spread, and other columns' effects have none.
    It costs a few sums per column, so that only the few columns that have something to say enter the cubes
    of the posterior.
    """
    columns, weight, residual = (value.to("cpu", torch.float64) for value in (columns, weight, residual))

    def total(values: Tensor) -> Tensor:
        return torch.bincount(cell, weights=values, minlength=cells)

    level = total(weight).clamp_min(1e-12)
    scores = []
    for column in columns.T:
        product = (column - (total(weight * column) / level)[cell]) * residual
        excess = total(product).square() - total(product.square())
        spread = float(excess.square().sum().sqrt())
        scores.append(float(excess.sum()) / spread if spread > 1e-9 else 0.0)
    ranked = sorted(range(len(scores)), key=lambda index: -scores[index])
    return sorted(index for index in ranked[:at_most] if scores[index] > least_score)


def _ratio(mean: Tensor, learned: Tensor, cells: tuple[int, ...]) -> Tensor:
    total = learned.sum(cells)
    return torch.where(total > 1e-12, mean.square().sum(cells) / total.clamp_min(1e-12), 0.0)


def _settled(old: Tensor, new: Tensor) -> bool:
    return bool(((new - old).abs() <= 1e-3 * old + 1e-6).all())


def _pruned(variance: Tensor) -> Tensor:
    return torch.where(variance < NEGLIGIBLE, 0.0, variance)
