"""Leads that passed a bar, drawn again and again: the discounted one is right as often as it says."""

import numpy as np
import pytest

from offline_rl.ope.trust.selection import discounted_lead

BAR = 1.959964


@pytest.mark.parametrize("true", [0.5, 1.5, 3.0])
def test_it_is_too_large_as_often_as_too_small_and_seldom_beyond_its_upper_end(true: float) -> None:
    random = np.random.default_rng(0)
    drawn = true + random.standard_normal(20_000)
    passed = drawn[drawn > BAR][:600]
    found = [discounted_lead(value, value - BAR, 0.95) for value in passed.tolist()]
    error = 0.5 / np.sqrt(len(passed))
    assert abs(np.mean([one.value > true for one in found]) - 0.5) < 3 * error
    assert abs(np.mean([one.upper > true for one in found]) - 0.975) < 0.02
    assert passed.mean() - true > np.mean([one.value for one in found]) - true - 1e-9


def test_the_raw_lead_of_those_that_pass_is_the_one_that_is_too_large() -> None:
    drawn = 0.5 + np.random.default_rng(1).standard_normal(20_000)
    assert np.mean(drawn[drawn > BAR] > 0.5) == 1.0


def test_it_is_never_larger_than_the_raw_lead_and_near_it_far_above_the_bar() -> None:
    for value in np.linspace(BAR + 0.01, 9.0, 50):
        found = discounted_lead(float(value), float(value) - BAR, 0.95)
        assert 0.0 <= found.value <= value + 1e-6
    assert found.value == pytest.approx(9.0, abs=1e-4)


def test_units_change_nothing() -> None:
    one, hundred = (discounted_lead(2.5 * unit, 0.5 * unit, 0.9) for unit in (1.0, 100.0))
    assert hundred.value == pytest.approx(100.0 * one.value)
    assert hundred.upper == pytest.approx(100.0 * one.upper)


@pytest.mark.parametrize(("value", "lower"), [(1.0, -0.1), (1.0, 1.0), (-1.0, -2.0)])
def test_what_has_not_passed_is_refused(value: float, lower: float) -> None:
    with pytest.raises(ValueError, match="has not passed"):
        discounted_lead(value, lower, 0.95)
