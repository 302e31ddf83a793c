"""What the table says of a verdict beside its interval."""

import polars as pl
import pytest

from features.contracts.outputs import OUTPUTS
from flows.stages.verdicts import _discounted
from offline_rl.ope.trust.verdict import Verdict
from tests.reports.sample_nights import demo_night


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


def test_what_stands_on_estimates_may_not_be_promoted() -> None:
    contract, verdicts = OUTPUTS["out_verdicts"], demo_night().tables["out_verdicts"]
    assert contract.is_valid(verdicts)
    assert verdicts.filter(verdict="promote").height
    estimated = verdicts.with_columns(evidence_level=pl.lit("estimated"))
    assert not contract.is_valid(estimated, cast=True)
    assert contract.is_valid(estimated.filter(~pl.col("verdict").is_in(["promote", "served"])), cast=True)
