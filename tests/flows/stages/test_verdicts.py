"""What the table says of a verdict beside its interval."""

import pytest

from flows.stages.verdicts import _discounted
from offline_rl.ope.trust.verdict import Verdict


def promoted(difference: float, lower: float) -> Verdict:
    return Verdict("promote", "a", "logging", difference, lower, 3.0 * difference, (), ())


def test_a_lead_that_passed_is_discounted() -> None:
    found = _discounted(promoted(2.5, 0.54), 0.95)
    assert found["discounted_difference"] == pytest.approx(1.54, abs=0.01)


@pytest.mark.parametrize("lower", [2.5, 2.6])
def test_an_interval_above_its_value_ends_no_night(lower: float) -> None:
    assert _discounted(promoted(2.5, lower), 0.95) == {
        "discounted_difference": None,
        "discounted_upper": None,
    }
