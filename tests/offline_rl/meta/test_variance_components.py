"""Variance components: recovered where they are known, zero where nothing varies, a fixed point of EM."""

import pytest
import torch
from torch import Tensor

from offline_rl.meta.segment_effects import EffectPrior, effect_posterior, residual_sums
from offline_rl.meta.variance_components import estimate_prior, varying_columns

SEGMENTS, ITEMS = 150, 6
LOADING = torch.cat([torch.ones(ITEMS, 1), torch.linspace(-1.5, 1.5, ITEMS)[:, None]], dim=1).double()


def simulated(
    shared: list[float], action: list[float], dispersion: float, rows: int = 60, seed: int = 0
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Rounds of the model itself: (columns, weight, residual, cell)."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    n, k = SEGMENTS * rows, len(action)
    segment = torch.arange(SEGMENTS).repeat_interleave(rows)
    item = torch.randint(ITEMS, (n,), generator=generator)
    columns = torch.cat([torch.ones(n, 1, dtype=torch.float64), normal(n, k - 1)], dim=1)
    weight = 0.2 + torch.rand(n, generator=generator, dtype=torch.float64)
    common = normal(SEGMENTS, len(shared)) * torch.tensor(shared, dtype=torch.float64).sqrt()
    own = normal(SEGMENTS, ITEMS, k) * torch.tensor(action, dtype=torch.float64).sqrt()
    effect = (common[segment] * LOADING[item]).sum(-1) + (own[segment, item] * columns).sum(-1)
    noise = normal(n) * (dispersion * weight).sqrt()
    return columns, weight, weight * effect + noise, segment * ITEMS + item


def estimated(rounds: tuple[Tensor, Tensor, Tensor, Tensor], *, is_binary: bool = False) -> EffectPrior:
    return estimate_prior(residual_sums(*rounds, (SEGMENTS, ITEMS)), LOADING, is_binary=is_binary)


def test_what_was_simulated_is_recovered() -> None:
    prior = estimated(simulated([0.5, 0.25], [0.3, 0.1], dispersion=2.0, rows=200))
    # 150 segments: the standard error of a variance of theirs is sqrt(2 / 150) of it, 12 %.
    torch.testing.assert_close(prior.shared, torch.tensor([0.5, 0.25]).double(), rtol=0.35, atol=0.0)
    torch.testing.assert_close(prior.action, torch.tensor([0.3, 0.1]).double(), rtol=0.2, atol=0.0)
    assert prior.dispersion == pytest.approx(2.0, rel=0.05)


def test_what_does_not_vary_is_pruned() -> None:
    prior = estimated(simulated([0.0, 0.0], [0.4, 0.0], dispersion=1.0), is_binary=True)
    assert prior.action[0] == pytest.approx(0.4, rel=0.2)
    assert float(prior.action[1]) < 0.01
    assert float(prior.shared.max()) < 0.01
    assert prior.dispersion == 1.0


def test_in_a_homogeneous_world_all_variances_are_near_zero() -> None:
    for seed in range(3):
        prior = estimated(simulated([0.0, 0.0], [0.0, 0.0], dispersion=1.0, seed=seed))
        assert float(torch.cat([prior.shared, prior.action]).max()) < 0.02


def test_the_estimate_is_a_fixed_point_of_em() -> None:
    """EM: T <- mean of the squared posterior means and posterior variances, cells without rounds included."""
    rounds = simulated([0.5, 0.25], [0.3, 0.1], dispersion=2.0)
    prior = estimated(rounds)
    posterior = effect_posterior(residual_sums(*rounds, (SEGMENTS, ITEMS)), LOADING, prior)
    action = prior.action * (posterior.action_mean.square() + posterior.action_variances()).mean((0, 1))
    spread = posterior.shared_covariance.diagonal(dim1=-2, dim2=-1)
    shared = prior.shared * (posterior.shared_mean.square() + spread).mean(0)
    torch.testing.assert_close(action, prior.action, rtol=2e-3, atol=0.0)
    torch.testing.assert_close(shared, prior.shared, rtol=2e-3, atol=0.0)


def test_a_level_that_all_items_share_is_not_taken_for_differences_between_them() -> None:
    prior = estimated(simulated([1.0, 0.0], [0.0], dispersion=1.0))
    assert float(prior.shared[0]) > 0.7
    assert float(prior.action[0]) < 0.01


def test_only_the_columns_that_vary_are_chosen() -> None:
    columns, weight, residual, cell = simulated([0.3, 0.0], [0.3, 0.2, 0.0, 0.2, 0.0], dispersion=1.0)
    found = varying_columns(columns[:, 1:], weight, residual, cell, SEGMENTS * ITEMS)
    assert found == [0, 2]
    clearest = varying_columns(columns[:, 1:], weight, residual, cell, SEGMENTS * ITEMS, at_most=1)
    assert clearest in ([0], [2])


def test_a_constant_column_has_nothing_to_say() -> None:
    columns, weight, residual, cell = simulated([0.0, 0.0], [0.5], dispersion=1.0)
    assert varying_columns(columns, weight, residual, cell, SEGMENTS * ITEMS) == []
