"""The posterior mode of a segment's weights: on paper, against its own definition, and its derivative."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from offline_rl.meta import bayesian_posterior
from offline_rl.meta.bayesian_features import (
    RowFeatures,
    all_deviations,
    init_parameters,
    item_embedding,
    row_features,
)
from offline_rl.meta.bayesian_posterior import Evidence, evidence_of, posterior_mode

N_CONTEXT, N_SLOTS, N_ITEMS, M = 3, 2, 5, 2


def small_world(tasks: int = 3, rows: int = 30, seed: int = 0) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """A random prior, and rounds whose last task has few rows."""
    generator = torch.Generator().manual_seed(seed)
    items = torch.randn(N_ITEMS, 2, generator=generator, dtype=torch.float64)
    drawn = init_parameters(N_CONTEXT, N_SLOTS, items, M, generator)
    mask = torch.ones(tasks, rows, dtype=torch.bool)
    mask[-1, 4:] = False
    batch = {
        "context": torch.randn(tasks, rows, N_CONTEXT, generator=generator, dtype=torch.float64),
        "slot": torch.randint(N_SLOTS, (tasks, rows), generator=generator),
        "action": torch.randint(N_ITEMS, (tasks, rows), generator=generator),
        "item_features": items.expand(tasks, *items.shape),
        "offset": torch.randn(tasks, rows, generator=generator, dtype=torch.float64) - 1.0,
        "reward": (torch.rand(tasks, rows, generator=generator) < 0.3).double(),
        "mask": mask,
    }
    return {name: value.double() for name, value in drawn.items()}, batch


def one_column(rows: int, deviation: float) -> RowFeatures:
    """A segment that differs in its level alone, with this prior deviation."""
    context = torch.full((1, rows, 1), deviation, dtype=torch.float64)
    return RowFeatures(context, torch.ones_like(context), context[..., :0])


def level_evidence(
    reward: list[float], *, deviation: float, offset: float = 0.0, noise: float = 1.0, is_binary: bool = False
) -> Evidence:
    rewards = torch.tensor([reward], dtype=torch.float64)
    return Evidence(
        features=one_column(len(reward), deviation),
        offset=torch.full_like(rewards, offset),
        reward=rewards,
        mask=torch.ones_like(rewards),
        noise=torch.tensor([noise], dtype=torch.float64),
        is_binary=is_binary,
    )


def test_a_linear_level_is_shrunk_by_n_over_n_plus_noise_over_variance() -> None:
    """Four rewards of mean 0.5 and noise 1 under prior variance 1/4: half of it, 0.25 = 0.5 * w."""
    weights = posterior_mode(level_evidence([1.0, 0.0, 1.0, 0.0], deviation=0.5))
    assert float(weights) == pytest.approx(0.5)


def test_a_logistic_level_balances_its_rewards_and_its_prior() -> None:
    """Two of two rewarded, offset 0, prior deviation 1: 2 (1 - sigmoid(w)) = w at w = 0.6748."""
    weight = float(posterior_mode(level_evidence([1.0, 1.0], deviation=1.0, is_binary=True), tolerance=1e-9))
    assert 2.0 * (1.0 - 1.0 / (1.0 + math.exp(-weight))) == pytest.approx(weight, abs=1e-12)
    assert weight == pytest.approx(0.6748, abs=1e-4)


def test_newton_does_not_run_away_from_a_surprise() -> None:
    """Forty successes where one in a thousand was expected: an undamped first step would be of e^6.9."""
    evidence = level_evidence([1.0] * 40, deviation=3.0, offset=-6.9, is_binary=True)
    weights = posterior_mode(evidence, tolerance=1e-9)
    assert float(evidence.gradient(weights).abs().max()) < 1e-9


@pytest.mark.parametrize("is_binary", [True, False])
def test_at_the_mode_the_gradient_is_zero(is_binary: bool) -> None:
    prior, batch = small_world()
    evidence = evidence_of(prior, batch, is_binary=is_binary)
    weights = posterior_mode(evidence, tolerance=1e-9)
    assert float(evidence.gradient(weights).abs().max()) < 1e-10
    assert float(weights.abs().max()) > 0.1


@pytest.mark.parametrize("is_binary", [True, False])
def test_iteration_and_factorization_agree(is_binary: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    prior, batch = small_world()
    evidence = evidence_of(prior, batch, is_binary=is_binary)
    factorized = posterior_mode(evidence, tolerance=1e-9)
    monkeypatch.setattr(bayesian_posterior, "LARGEST_FACTORIZATION", 1)
    torch.testing.assert_close(posterior_mode(evidence, tolerance=1e-9), factorized, atol=1e-8, rtol=0.0)


def test_padding_changes_nothing_and_no_rows_are_no_deviation() -> None:
    prior, batch = small_world()
    mode = posterior_mode(evidence_of(prior, batch, is_binary=True), tolerance=1e-9)
    other = {**batch, "reward": torch.where(batch["mask"], batch["reward"], 1.0 - batch["reward"])}
    torch.testing.assert_close(
        posterior_mode(evidence_of(prior, other, is_binary=True), tolerance=1e-9), mode, atol=1e-12, rtol=0.0
    )
    nothing = {**batch, "mask": torch.zeros_like(batch["mask"])}
    assert not posterior_mode(evidence_of(prior, nothing, is_binary=True)).any()


@pytest.mark.parametrize("is_binary", [True, False])
def test_the_mode_has_the_derivative_that_finite_differences_have(is_binary: bool) -> None:
    prior, batch = small_world(tasks=2, rows=8)
    names = list(prior)
    direction = torch.randn(1, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

    def mode(*values: Tensor) -> Tensor:
        evidence = evidence_of(dict(zip(names, values, strict=True)), batch, is_binary=is_binary)
        weights = posterior_mode(evidence, differentiable=True, tolerance=1e-9)
        return (weights * torch.linspace(-1.0, 1.0, weights.shape[1], dtype=torch.float64)).sum() * direction

    values = [value.clone().requires_grad_() for value in prior.values()]
    assert torch.autograd.gradcheck(mode, values, atol=1e-6)


def test_rows_have_the_deviations_of_their_items() -> None:
    prior, batch = small_world()
    features = row_features(prior, batch)
    weights = posterior_mode(evidence_of(prior, batch, is_binary=True))
    of_all = all_deviations(prior, weights, batch)
    assert of_all.shape == (3, 30, N_ITEMS)
    logged = of_all.gather(-1, batch["action"].unsqueeze(-1)).squeeze(-1)
    torch.testing.assert_close(features.times(weights), logged)


def test_the_kernel_is_the_product_of_the_features() -> None:
    features = row_features(*small_world())
    basis = torch.eye(30, dtype=torch.float64)
    rows = torch.stack([features.transposed_times(row.expand(3, -1)) for row in basis], dim=1)
    torch.testing.assert_close(features.kernel(), rows @ rows.transpose(1, 2))


def test_a_feature_of_one_item_alone_is_left_out() -> None:
    one_hot = torch.eye(4)
    assert item_embedding(one_hot).shape == (4, 5)
    assert item_embedding(torch.cat([one_hot, torch.ones(4, 1)], dim=1)).shape == (4, 6)


def test_a_wider_prior_follows_the_rows_further() -> None:
    prior, batch = small_world()
    wide = {**prior, "log_context": prior["log_context"] + 1.0}
    near, far = (evidence_of(scales, batch, is_binary=True) for scales in (prior, wide))

    def misfit(evidence: Evidence) -> float:
        deviation = evidence.features.times(posterior_mode(evidence))
        zero = torch.zeros_like(posterior_mode(evidence))
        return float(replace(evidence).cost(zero, deviation).sum())

    assert misfit(far) < misfit(near)
