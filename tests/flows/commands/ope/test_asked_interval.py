"""Every interval by its name, and what those of a known range ask for."""

import numpy as np
import pytest
from scipy.stats import beta

from features.errors import UsageError
from flows.commands.ope.asked_interval import OF_KNOWN_RANGE, asked_interval
from offline_rl.ope.intervals.choice import INTERVAL_NAMES
from tests.flows.commands.ope.round_tables import coin_columns, write_parquet


@pytest.mark.parametrize("name", INTERVAL_NAMES)
def test_a_bootstrap_interval_needs_no_bounds_and_has_no_use_for_them(name) -> None:
    assert asked_interval(name.upper(), None, None).resampled == name
    with pytest.raises(UsageError, match=f"--interval {name} uses no bounds"):
        asked_interval(name, (0.0, 1.0), None)


@pytest.mark.parametrize("name", OF_KNOWN_RANGE)
def test_an_interval_of_a_known_range_asks_for_it(name) -> None:
    with pytest.raises(UsageError, match=rf"--interval {name} is for .* such as --reward-range 0 1"):
        asked_interval(name, None, 4.0)
    assert asked_interval(name, (0.0, 1.0), 4.0).bounds is not None


@pytest.mark.parametrize("name", ["empirical_bernstein", "clopper_pearson"])
def test_two_of_them_ask_for_the_largest_weight(name) -> None:
    with pytest.raises(UsageError, match="give --max-weight"):
        asked_interval(name, (0.0, 1.0), None)


@pytest.mark.parametrize("bounds", [((1.0, 0.0), None), ((0.0, 1.0), 0.5)])
def test_bounds_that_bound_nothing_are_refused(bounds) -> None:
    with pytest.raises(UsageError, match=r"has no range|max_weight is 0.5"):
        asked_interval("cressie_read", *bounds)


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(UsageError, match=r"'magic' is not a known interval. Known are .*bca.*cressie_read"):
        asked_interval("magic", None, None)


def test_the_exact_binomial_interval_solved_on_paper(tmp_path, ask) -> None:
    # 200 of 400 rounds pay 1 and weigh 3/2, the largest weight: 200 successes of 400, times 3/2.
    path = write_parquet(tmp_path / "coin.parquet", coin_columns())
    options = ["--reward-range", "0", "1", "--max-weight", "1.5", "--resamples", "20"]
    status, answer = ask(path, "--interval", "clopper_pearson", *options, "--estimator", "ips")
    assert status == 0
    (estimate,) = answer["estimates"]
    lower, upper = beta.ppf(0.025, 200, 201), beta.ppf(0.975, 201, 200)
    assert (estimate["lower"], estimate["upper"]) == pytest.approx((1.5 * lower, min(1.0, 1.5 * upper)))
    # The log's own weights are 1, and its mean reward is known better.
    logged = answer["logging_policy"]
    assert (logged["lower"], logged["upper"]) == pytest.approx((lower, upper))
    assert estimate["interval_codes"][0] == logged["interval_codes"][0] == "clopper_pearson"
    assert "for rewards from 0 to 1 and weights up to 1.5." in estimate["interval_method"]
    assert "of the difference from the log: BCa bootstrap over rounds" in estimate["interval_method"]


@pytest.mark.parametrize("name", [*INTERVAL_NAMES, *OF_KNOWN_RANGE])
def test_every_interval_holds_the_value_from_the_shell(name, tmp_path, ask) -> None:
    path = write_parquet(tmp_path / "coin.parquet", coin_columns())
    bounds = ["--reward-range", "0", "1", "--max-weight", "1.5"] if name in OF_KNOWN_RANGE else []
    _, answer = ask(path, "--interval", name, *bounds, "--estimator", "snips", "--resamples", "50")
    (estimate,) = answer["estimates"]
    assert estimate["interval_codes"][0] == name
    assert estimate["lower"] < 0.75 < estimate["upper"]


@pytest.mark.parametrize(
    ("spoil", "options", "sentence"),
    [
        ({"reward": np.full(400, 2.0)}, [], "row 0: reward is 2, beyond the bound of 0 to 1"),
        ({"user": np.arange(400) // 2}, ["--cluster", "user"], "several rounds belong to one cluster"),
    ],
)
def test_rounds_that_break_the_promise_are_65(spoil, options, sentence, tmp_path, ask) -> None:
    path = write_parquet(tmp_path / "coin.parquet", coin_columns(**spoil))
    status, said = ask(path, "--interval", "cressie_read", "--reward-range", "0", "1", *options)
    assert status == 65
    assert sentence in said


def test_a_number_chosen_on_the_same_rounds_is_marked_and_does_not_lead(tmp_path, ask, capsys) -> None:
    path = write_parquet(tmp_path / "coin.parquet", coin_columns())
    _, answer = ask(path, "--estimator", "ips:auto", "--resamples", "50")
    plain, tuned = answer["estimates"]
    assert (plain["estimator"], tuned["estimator"]) == ("ips", "ips:auto")
    assert "tuned on the same rounds: never the headline" in tuned["interval_method"]
    assert "tuned" not in plain["interval_method"]
    assert answer["difference"]["estimator"] == "ips"
