"""How far next week may be from what is expected."""

from dataclasses import replace

import numpy as np
import pytest

from offline_rl.decisions.budget.backtest import WeekTested
from offline_rl.decisions.budget.response_curves import ResponseCurves
from offline_rl.decisions.budget.revenue_forecast import Drift, draw_revenue, measured_drift

ALL = np.ones(4, np.bool_)


def week(common: float, own: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0)) -> WeekTested:
    predicted = np.full(4, 10_000.0)
    return WeekTested(0, 6, ALL, common * np.array(own) * predicted, {"curves": predicted}, np.zeros(4), 0.0)


def test_before_any_week_is_tested_returns_are_known_to_drift() -> None:
    drift = measured_drift(())
    assert (drift.common, drift.of_cell, drift.n_weeks) == (0.08, 0.05, 0)


def test_weeks_without_a_miss_leave_a_part_of_the_start() -> None:
    drift = measured_drift((week(1.0),) * 6)
    assert drift.common == pytest.approx(0.04)
    assert drift.of_cell == pytest.approx(0.025)


def test_a_common_miss_is_common_and_a_cells_own_is_its_own() -> None:
    together = measured_drift((week(0.5),) * 6)
    apart = measured_drift((week(1.0, (1.4, 0.6, 1.4, 0.6)),) * 6)
    assert together.common == pytest.approx(np.sqrt((2 * 0.08**2 + 6 * np.log(2) ** 2) / 8))
    assert together.of_cell == pytest.approx(0.025)
    assert apart.common == pytest.approx(0.04)
    assert apart.of_cell == pytest.approx(np.sqrt((2 * 0.05**2 + 6 * 0.16) / 8))


def test_what_noise_explains_is_no_drift() -> None:
    noisy = replace(week(0.9), variance=np.full(4, 1000.0**2), variance_of_sum=4500.0**2)
    assert measured_drift((noisy,) * 6).common == pytest.approx(0.04)


def test_a_week_that_earned_nothing_is_far_off_and_finite() -> None:
    assert 1 < measured_drift((week(0.0),)).common < 4


def drawn(drift: Drift, *, share: float = 1.0, dispersion: float = 1e-9) -> np.ndarray:
    curves = ResponseCurves(np.full((4000, 1), 2e4), np.full((4000, 1), 1e4))
    spend = np.array([1e4])
    draws = draw_revenue(
        curves,
        current=spend,
        recommended=spend,
        dispersion=np.array([dispersion]),
        active_share=np.array([share]),
        drift=drift,
        seed=0,
    )
    assert (draws.expected_current == draws.expected_recommended).all()
    return np.asarray(draws.recommended[:, 0])


def test_noise_of_days_is_that_of_the_days_with_spend() -> None:
    """Variance dispersion · mean / days, at a mean of 10 000 and a dispersion of 700."""
    calm = Drift(0.0, 0.0, 6)
    assert drawn(calm).std() == pytest.approx(0, abs=1)
    assert drawn(calm, dispersion=700.0).std() == pytest.approx(1000, rel=0.1)
    assert drawn(calm, share=1 / 7, dispersion=700.0).std() == pytest.approx(1000 * 7**0.5, rel=0.1)


def test_fewer_tested_weeks_widen_the_interval() -> None:
    few, many = (np.quantile(drawn(Drift(0.1, 0.0, weeks)), (0.025, 0.975)) for weeks in (2, 30))
    assert few[1] - few[0] > 1.25 * (many[1] - many[0])
    assert np.median(drawn(Drift(0.1, 0.0, 6))) == pytest.approx(10_000, rel=0.01)
