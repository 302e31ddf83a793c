import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.summaries.formatting import reward_format
from reports.wording.english.number_formats import NUMBERS

UNKNOWN = [None, math.nan, math.inf, -math.inf]


@pytest.mark.parametrize("number", UNKNOWN)
def test_what_is_not_known_prints_as_a_dash(number: float | None) -> None:
    assert {NUMBERS.fixed(number, 2), NUMBERS.share(number), NUMBERS.ratio(number)} == {"–"}


def test_missing_counts_and_money_print_as_a_dash() -> None:
    assert NUMBERS.count(None) == NUMBERS.cents(None) == "–"


@given(st.floats(-1e9, 1e9), st.integers(0, 4))
def test_a_printed_number_reads_back_within_its_decimals(number: float, decimals: int) -> None:
    read = float(NUMBERS.fixed(number, decimals).replace(",", "").replace("−", "-"))

    assert abs(read - number) <= 0.5000001 * 10**-decimals + 1e-6


@given(st.integers(-(10**12), 10**12))
def test_cents_print_exactly(amount: int) -> None:
    read = NUMBERS.cents(amount).replace(",", "").replace("−", "-").replace(".", "")

    assert int(read) == amount


def test_rates_print_as_percentages_and_their_differences_as_points() -> None:
    reward = reward_format([(0.0042, 0.0031, 0.0055)], reward="click", currency="")

    assert NUMBERS.reward_estimate(reward, 0.0042, 0.0031, 0.0055) == "0.42 % (0.31 to 0.55)"
    assert NUMBERS.reward_difference(reward, -0.0011, -0.0024, 0.0002) == "−0.11 pp (−0.24 to +0.02)"
    assert NUMBERS.reward_estimate(reward, 0.0042, None, None) == "0.42 % (–)"


def test_rewards_of_money_print_with_their_currency() -> None:
    reward = reward_format([(12.34, 11.80, 12.90)], reward="margin", currency="EUR")

    assert NUMBERS.reward(reward, 12.34) == "12.34 EUR"


def test_rewards_above_one_stay_plain_numbers() -> None:
    reward = reward_format([(3.1, 2.5, 3.7)], reward="orders", currency="EUR")

    assert NUMBERS.reward_estimate(reward, 3.1, 2.5, 3.7) == "3.10 (2.50 to 3.70)"


@pytest.mark.parametrize(
    ("share", "written"),
    [
        (0.5, "50 %"),
        (0.123, "12 %"),
        (0.00042, "0.042 %"),
        (1.0, "100 %"),
        (2 / 42_448_764, "< 0.0001 %"),
        (0.0, "0 %"),
    ],
)
def test_small_shares_keep_two_digits_and_only_nothing_prints_as_zero(share: float, written: str) -> None:
    assert NUMBERS.share(share) == written


def test_signs_are_true_signs_and_zero_has_none() -> None:
    assert NUMBERS.fixed(-1234.5, 1) == "−1,234.5"
    assert NUMBERS.fixed(0.04, 2, signed=True) == "+0.04"
    assert NUMBERS.fixed(-0.001, 2, signed=True) == "0.00"
    assert NUMBERS.share(-0.25, signed=True) == "−25 %"


def test_another_language_has_its_own_signs_and_its_own_order() -> None:
    german = replace(
        NUMBERS, thousands=".", decimal=",", money="{currency} {amount}", interval="{lower} bis {upper}"
    )
    money = reward_format([(1_234.0, 1_180.0, 1_290.0)], reward="revenue", currency="EUR")

    assert german.fixed(-1_234_567.25, 2) == "−1.234.567,25"
    assert german.percentage(0.0123) == "1,2 %" and german.percentage(0.05) == "5 %"
    assert german.reward_estimate(money, 1_234.56, 1_180.0, 1_290.0) == "EUR 1.235 (1.180 bis 1.290)"


def test_a_currency_that_is_not_known_leaves_no_gap() -> None:
    assert NUMBERS.with_currency("12.00", "") == "12.00"
    assert NUMBERS.with_currency("12.00", "EUR") == "12.00 EUR"
