"""Saturation: found where the log tells it, borrowed from the channel where it doesn't."""

import numpy as np
import pytest

from offline_rl.decisions.budget.saturation import LOG_SATURATION, effective_spend, saturation_posterior


def log_of(kappa: float, spread: float, n_cells: int, *, seed: int, noise: float = 0.02) -> np.ndarray:
    rng = np.random.default_rng(seed)
    relative = np.exp(rng.normal(0, spread, (n_cells, 60))) if spread else np.ones((n_cells, 60))
    relative /= relative.mean(1, keepdims=True)
    revenue = 1000 * effective_spend(relative, np.full(n_cells, kappa)) * rng.normal(1, noise, relative.shape)
    return np.stack([relative, revenue])


@pytest.mark.parametrize("kappa", [0.3, 1.0, 4.0])
def test_it_is_found_where_spend_varied(kappa: float) -> None:
    relative, revenue = log_of(kappa, 0.8, 8, seed=1)
    posterior = saturation_posterior(relative, revenue, np.full(8, 0.4), np.zeros(8, np.int64))
    assert posterior.sum(1) == pytest.approx(np.ones(8))
    assert np.exp(posterior @ LOG_SATURATION) == pytest.approx(np.full(8, kappa), rel=0.2)


def test_without_variation_the_channel_answers() -> None:
    """Channel 0 saturates early, channel 1 late; the last cell of each never varied its spend."""
    early, late = log_of(0.2, 0.8, 8, seed=2), log_of(10.0, 0.8, 8, seed=3)
    constant = log_of(1.0, 0.0, 1, seed=4)
    relative, revenue = np.concatenate([early, constant, late, constant], axis=1)
    channel = np.repeat([0, 1], 9)
    found = np.exp(saturation_posterior(relative, revenue, np.full(18, 0.4), channel) @ LOG_SATURATION)
    assert found[8] < 0.4
    assert found[17] > 5.0


def test_a_channel_without_any_evidence_keeps_the_prior() -> None:
    relative, revenue = log_of(1.0, 0.0, 1, seed=5)
    posterior = saturation_posterior(relative, revenue, np.ones(1), np.zeros(1, np.int64))
    mean = posterior @ LOG_SATURATION
    assert abs(mean.item()) < 0.1
    assert (posterior @ LOG_SATURATION**2 - mean**2).item() > 0.8


def test_cells_without_spend_or_revenue_do_no_harm() -> None:
    relative, revenue = log_of(1.0, 0.8, 3, seed=6)
    relative[1], revenue[1], revenue[2] = 0.0, 0.0, 0.0
    posterior = saturation_posterior(relative, revenue, np.ones(3), np.zeros(3, np.int64))
    assert np.isfinite(posterior).all()


def test_a_return_that_falls_while_spend_rises_is_no_saturation() -> None:
    """In proportion within every week; spend doubles over ten weeks while a cent brings half."""
    rng = np.random.default_rng(7)
    week = np.repeat(np.arange(10), 7)
    relative = 2.0 ** (week / 9) * np.exp(rng.normal(0, 0.4, (6, 70)))
    relative /= relative.mean(1, keepdims=True)
    revenue = 1000 * relative * 2.0 ** (-week / 9) * rng.normal(1, 0.02, relative.shape)
    posterior = saturation_posterior(relative, revenue, np.full(6, 0.4), np.zeros(6, np.int64))
    assert (np.exp(posterior @ LOG_SATURATION) > 8).all()
