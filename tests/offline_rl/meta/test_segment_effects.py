"""Posteriors solved on paper, and against the dense solution of the same normal equations."""

import pytest
import torch
from torch import Tensor

from offline_rl.meta.effects_score import effects_score, moved
from offline_rl.meta.segment_effects import (
    EffectPosterior,
    EffectPrior,
    ResidualSums,
    effect_posterior,
    loading_of,
    residual_sums,
)
from offline_rl.policies.scored_policy import LevelScore

SEGMENTS, ITEMS, FEATURES, COLUMNS = 3, 4, 2, 3


def exact(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def one_item(n: int, mean: float, variance: float, dispersion: float) -> EffectPosterior:
    ones = torch.ones(n, dtype=torch.float64)
    sums = residual_sums(ones[:, None], ones, mean * ones, torch.zeros(n, dtype=torch.int64), (1, 1))
    prior = EffectPrior(exact(0.0), exact(variance), dispersion)
    return effect_posterior(sums, torch.ones(1, 1, dtype=torch.float64), prior)


@pytest.mark.parametrize(("n", "variance", "dispersion"), [(1, 1.0, 1.0), (12, 0.5, 3.0), (100, 0.01, 2.0)])
def test_with_one_item_a_mean_is_shrunk_by_n_over_n_plus_the_ratio(
    n: int, variance: float, dispersion: float
) -> None:
    share = n / (n + dispersion / variance)
    posterior = one_item(n, 0.8, variance, dispersion)
    assert posterior.coefficients().item() == pytest.approx(0.8 * share, rel=1e-12)
    # Posterior variance (n / s2 + 1 / T)^-1, in units of T: 1 - share.
    assert posterior.action_variances().item() == pytest.approx(1.0 - share, rel=1e-9)


def test_without_rounds_or_without_variance_there_is_no_effect() -> None:
    nothing = ResidualSums(
        torch.zeros(1, 2, 1, 1, dtype=torch.float64), torch.zeros(1, 2, 1, dtype=torch.float64), 0.0, 0
    )
    prior = EffectPrior(exact(1.0), exact(1.0), 1.0)
    assert effect_posterior(nothing, torch.ones(2, 1).double(), prior).coefficients().tolist() == [[[0], [0]]]
    assert one_item(1000, 0.8, 0.0, 1.0).coefficients().item() == 0.0


def logged() -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    n = 90
    columns = torch.randn(n, COLUMNS, generator=generator, dtype=torch.float64)
    columns[:, 0] = 1.0
    weight = 0.1 + torch.rand(n, generator=generator, dtype=torch.float64)
    residual = torch.randn(n, generator=generator, dtype=torch.float64)
    segment = torch.randint(SEGMENTS, (n,), generator=generator)
    # The last item is never shown.
    action = torch.randint(ITEMS - 1, (n,), generator=generator)
    features = torch.randn(ITEMS, FEATURES, generator=generator, dtype=torch.float64)
    return columns, weight, residual, segment, action, features


def dense(segment_number: int, prior: EffectPrior) -> tuple[Tensor, Tensor, Tensor]:
    """(design [n, P] of one segment, posterior mean [P], covariance [P, P]) by ordinary normal equations."""
    columns, weight, residual, segment, action, features = logged()
    rows = segment == segment_number
    own = torch.nn.functional.one_hot(action, ITEMS).double().unsqueeze(-1) * columns.unsqueeze(1)
    design = torch.cat([loading_of(features)[action], own.flatten(1)], dim=1)[rows]
    precision = design.T @ (weight[rows, None] * design) / prior.dispersion
    variance = torch.cat([prior.shared, prior.action.repeat(ITEMS)])
    covariance = torch.linalg.inv(precision + torch.diag(1.0 / variance))
    return design, covariance @ (design.T @ residual[rows]) / prior.dispersion, covariance


def solved(prior: EffectPrior) -> EffectPosterior:
    columns, weight, residual, segment, action, features = logged()
    sums = residual_sums(columns, weight, residual, segment * ITEMS + action, (SEGMENTS, ITEMS))
    return effect_posterior(sums, loading_of(features), prior)


PRIOR = EffectPrior(exact(0.7, 0.2, 1.3), exact(0.5, 0.1, 2.0), 1.7)


@pytest.mark.parametrize("segment", range(SEGMENTS))
def test_blocks_with_a_border_give_what_the_dense_equations_give(segment: int) -> None:
    _, mean, covariance = dense(segment, PRIOR)
    posterior = solved(PRIOR)
    shared, own = mean[: FEATURES + 1], mean[FEATURES + 1 :].reshape(ITEMS, COLUMNS)
    coefficients = own.clone()
    coefficients[:, 0] += loading_of(logged()[-1]) @ shared
    torch.testing.assert_close(posterior.coefficients()[segment], coefficients, rtol=1e-10, atol=1e-12)
    spread = covariance.diagonal()[FEATURES + 1 :].reshape(ITEMS, COLUMNS)
    torch.testing.assert_close(posterior.action_variances()[segment] * PRIOR.action, spread)


def test_caution_takes_off_posterior_deviations() -> None:
    posterior = solved(PRIOR)
    first = EffectPosterior(
        prior=posterior.prior,
        lift=posterior.lift,
        **{
            name: getattr(posterior, name)[:1]
            for name in ("shared_mean", "shared_covariance", "action_mean", "own_covariance", "pull")
        },
    )
    columns, *_, features = logged()
    _, _, covariance = dense(0, PRIOR)
    context, slot = columns[:5, 1:], torch.zeros(5, dtype=torch.int64)
    bold, careful = (
        effects_score(LevelScore(0.0), first, n_slots=1, chosen=(0, 1), is_binary=False, caution=caution)(
            context, slot, features
        )
        for caution in (0.0, 1.0)
    )
    items = torch.eye(ITEMS, dtype=torch.float64)
    own = (items[None, :, :, None] * columns[:5, None, None, :]).flatten(2)
    design = torch.cat([loading_of(features).expand(5, -1, -1), own], dim=2)
    deviation = torch.einsum("nap,pq,naq->na", design, covariance, design).sqrt()
    torch.testing.assert_close(bold - careful, deviation)


def test_a_moved_probability_is_the_linear_one_and_stays_a_probability() -> None:
    score = torch.linspace(-12.0, 12.0, 25, dtype=torch.float64)
    effect = exact(-0.5)
    mean = torch.sigmoid(score)
    expected = mean + mean * (1.0 - mean) * effect
    torch.testing.assert_close(torch.sigmoid(moved(score, effect, is_binary=True)), expected)
    for extreme in (-1e6, 1e6):
        assert bool(torch.isfinite(moved(score, exact(extreme), is_binary=True)).all())
    assert moved(score, effect, is_binary=False).tolist() == (score - 0.5).tolist()
