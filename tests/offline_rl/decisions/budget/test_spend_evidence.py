"""How many days a log is really worth."""

import numpy as np
import pytest

from offline_rl.decisions.budget.spend_evidence import spend_evidence

ONE = np.zeros(1, np.int64)


def test_one_large_day_counts_as_one() -> None:
    evidence = spend_evidence(np.array([[1e6, *[1.0] * 29]]), np.zeros((1, 30)), ONE)
    assert evidence.ess.item() == pytest.approx(1.0, abs=1e-3)
    assert evidence.max_supported_cents.tolist() == [1_000_000]


def test_days_that_repeat_each_other_are_fewer() -> None:
    """Residuals with correlation r = 0.6: 1000 days are worth 1000 · 0.4 / 1.6 = 250."""
    rng = np.random.default_rng(0)
    residual = np.zeros(1000)
    for day in range(1, 1000):
        residual[day] = 0.6 * residual[day - 1] + rng.normal()
    spend = np.full((1, 1000), 100.0)
    assert spend_evidence(spend, residual[None], ONE).ess.item() == pytest.approx(250, rel=0.15)
    independent = spend_evidence(spend, rng.normal(size=(1, 1000)), ONE)
    assert independent.ess.item() == pytest.approx(1000, rel=0.1)


def test_spread_looks_at_days_with_spend_only() -> None:
    evidence = spend_evidence(
        np.array([[0.0, 50.0, 150.0], [0.0, 0.0, 0.0]]), np.zeros((2, 3)), np.array([0, 0])
    )
    assert evidence.spread.tolist() == [0.5, 0.0]
    assert evidence.ess[1] == 0


def test_constant_spend_has_no_spread_at_all() -> None:
    assert spend_evidence(np.full((1, 49), 0.1), np.zeros((1, 49)), ONE).spread.item() == pytest.approx(
        0, abs=1e-12
    )


def test_spend_that_changes_from_week_to_week_only_says_nothing_about_spend() -> None:
    steps = np.repeat([100.0, 150.0, 80.0, 120.0], 7)[None]
    assert spend_evidence(steps, np.zeros((1, 28)), ONE).spread.item() == pytest.approx(0, abs=1e-12)
    assert spend_evidence(steps[:, ::7], np.zeros((1, 4)), ONE).spread.item() > 0.2
