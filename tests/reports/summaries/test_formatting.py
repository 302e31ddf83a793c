import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.summaries.formatting import MISSING, cents, count, fixed, ratio, reward_format, share

UNKNOWN = [None, math.nan, math.inf, -math.inf]


@pytest.mark.parametrize("number", UNKNOWN)
def test_what_is_not_known_prints_as_a_dash(number: float | None) -> None:
    assert {fixed(number, 2), share(number), ratio(number)} == {MISSING}


def test_missing_counts_and_money_print_as_a_dash() -> None:
    assert count(None) == cents(None) == MISSING


@given(st.floats(-1e9, 1e9), st.integers(0, 4))
def test_a_printed_number_reads_back_within_its_decimals(number: float, decimals: int) -> None:
    read = float(fixed(number, decimals).replace(",", "").replace("−", "-"))

    assert abs(read - number) <= 0.5000001 * 10**-decimals + 1e-6


@given(st.integers(-(10**12), 10**12))
def test_cents_print_exactly(amount: int) -> None:
    read = cents(amount).replace(",", "").replace("−", "-").replace(".", "")

    assert int(read) == amount


def test_rates_print_as_percentages_and_their_differences_as_points() -> None:
    reward = reward_format([(0.0042, 0.0031, 0.0055)], reward="click", currency="")

    assert reward.estimate(0.0042, 0.0031, 0.0055) == "0.42 % (0.31 to 0.55)"
    assert reward.difference(-0.0011, -0.0024, 0.0002) == "−0.11 pp (−0.24 to +0.02)"
    assert reward.estimate(0.0042, None, None) == "0.42 % (–)"


def test_rewards_in_cents_print_as_money() -> None:
    reward = reward_format([(1234.0, 1180.0, 1290.0)], reward="margin_cents", currency="EUR")

    assert reward.value(1234.0) == "12.34 EUR"


def test_rewards_above_one_stay_plain_numbers() -> None:
    reward = reward_format([(3.1, 2.5, 3.7)], reward="orders", currency="EUR")

    assert reward.estimate(3.1, 2.5, 3.7) == "3.10 (2.50 to 3.70)"
