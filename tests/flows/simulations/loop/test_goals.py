"""The goals of closed loops, on loops made by hand."""

import pytest
from scipy import stats

from flows.simulations.loop.coverage import coverage
from flows.simulations.loop.gap import gap_closed
from flows.simulations.loop.goals import SHIFT_NIGHT, judge_goals
from flows.simulations.loop.loop_day import LoopDay
from reports.summaries.loop_outcome import Goal

FIRST, ORACLE = 0.06, 0.10


def day(world: str, seed: int, night: int, share: float, way: str = "metacart", **said) -> LoopDay:
    """A day that closes this share of the gap; 0.015 of it is 1 % of what the first policy earns."""
    served = FIRST + share * (ORACLE - FIRST)
    return LoopDay(world, seed, way, night, "2026-01-18", served, 0.059, FIRST, ORACLE, **said)


def loop(world: str, shares: list[float], seeds: tuple[int, ...] = (700, 701), **said) -> list[LoopDay]:
    return [day(world, seed, night, share, **said) for seed in seeds for night, share in enumerate(shares, 1)]


def goal(days: list[LoopDay], name: str, world: str) -> Goal:
    [found] = [goal for goal in judge_goals(days) if (goal.name, goal.world) == (name, world)]
    return found


def test_the_gap_is_that_of_the_last_nights():
    days = loop("mild", [0.0] * 15 + [0.71, 0.81, 0.91, 0.81, 0.81])
    found = goal(days, "gap_closed", "mild")
    assert found.judgement == "met"
    assert found.figures["share"] == pytest.approx(0.81)
    one_shop_worse = days + loop("mild", [0.0] * 20, seeds=(702,))
    found = goal(one_shop_worse, "gap_closed", "mild")
    assert found.judgement == "not_met"
    assert (found.figures["least"], found.figures["greatest"]) == pytest.approx((0.0, 0.81))
    assert found.figures["share"] == pytest.approx(1.62 / 3)


def test_the_gap_is_not_judged_before_night_twenty_and_elsewhere():
    short = loop("mild", [0.9] * 19)
    found = goal(short, "gap_closed", "mild")
    assert (found.judgement, found.why) == ("not_judged", "few_nights")
    assert found.figures["share"] == pytest.approx(0.9)
    assert goal(short, "gap_closed", "strong").why == "world_not_run"
    rivals = [day("strong", 700, night, 0.5, way="pooled") for night in range(1, 21)]
    assert goal(short + rivals, "gap_closed", "strong").why == "way_not_run"


def test_the_mean_over_shops_must_hold_on_every_night():
    # A share of the gap of -0.03 is -0.0012, 2 % of 0.06: both shops lose 2 % on night 2, then one of them.
    both = [[0.1, -0.03, 0.3], [0.1, -0.03, 0.3]]
    found = goal(two_shops(both), "mean_never_lower", "drift")
    assert found.judgement == "not_met"
    assert (found.figures["change"], found.figures["night"]) == (pytest.approx(-0.02), 2)
    one = [[0.1, -0.03, 0.3], [0.1, 0.03, 0.3]]
    assert goal(two_shops(one), "mean_never_lower", "drift").judgement == "met"


def test_a_shop_is_judged_over_all_its_nights():
    # -0.12 of the gap is -8 %: once in three nights it is -2.67 %, thrice it is too much.
    once = goal(two_shops([[0.0, -0.12, 0.0], [0.5] * 3]), "no_shop_lower", "drift")
    assert once.judgement == "met"
    assert (once.figures["change"], once.figures["single"]) == pytest.approx((-0.08 / 3, -0.08))
    assert goal(two_shops([[-0.12] * 3, [0.5] * 3]), "no_shop_lower", "drift").judgement == "not_met"


def two_shops(shares: list[list[float]]) -> list[LoopDay]:
    return [one for seed, of_shop in enumerate(shares) for one in loop("drift", of_shop, seeds=(seed,))]


def test_half_of_what_a_shift_costs_is_back_five_nights_later():
    assert SHIFT_NIGHT == 8
    # 0.6 before, 0.2 on night 8: 0.4 are lost, so 0.4 on night 13 would be half of it.
    shares = [0.0, 0.0, *[0.6] * 5, 0.2, 0.2, 0.2, 0.3, 0.3, 0.41]
    found = goal(loop("shift", shares), "recovery", "shift")
    assert found.judgement == "met"
    assert found.figures["share"] == pytest.approx(0.525)
    assert goal(loop("shift", [*shares[:-1], 0.39]), "recovery", "shift").judgement == "not_met"
    assert goal(loop("shift", shares[:-1]), "recovery", "shift").why == "few_nights"
    assert goal(loop("shift", [0.2] * 13), "recovery", "shift").why == "nothing_lost"
    assert goal(loop("shift", [0.6] * 7 + [0.56] * 6), "recovery", "shift").why == "nothing_lost"
    assert goal(loop("mild", shares), "recovery", "shift").why == "world_not_run"


def held(seed: int, hits: int, misses: int) -> list[LoopDay]:
    known = {"lower": 0.05, "upper": 0.07}
    truths = [0.06] * hits + [0.08] * misses
    return [day("mild", seed, n, 0.5, truth=truth, **known) for n, truth in enumerate(truths, 1)]


def test_coverage_is_clustered_by_shop():
    days = held(1, 10, 0) + held(2, 9, 1) + held(3, 8, 2) + [day("mild", 4, 1, 0.5)]
    found = coverage(days)
    # Shares 1, 0.9 and 0.8: mean 0.9, standard deviation 0.1.
    half = stats.t.ppf(0.975, 2) * 0.1 / 3**0.5
    assert (found.share, found.n_nights, found.n_shops) == (pytest.approx(0.9), 30, 3)
    assert (found.method, found.lower, found.upper) == ("t_over_shops", pytest.approx(0.9 - half), 1.0)
    assert goal(days, "coverage", "mild").judgement == "met"


def test_shops_that_are_alike_count_once_each():
    found = coverage(held(1, 20, 0) + held(2, 20, 0))
    # Both of two: the lower end is 0.025 ** (1 / 2).
    assert (found.method, found.lower, found.upper) == ("shops_alike", pytest.approx(0.025**0.5), 1.0)
    never = coverage(held(1, 0, 20) + held(2, 0, 20))
    assert (never.lower, never.upper) == (0.0, pytest.approx(1 - 0.025**0.5))
    assert goal(held(1, 0, 20) + held(2, 0, 20), "coverage", "mild").judgement == "not_met"


def test_one_shop_is_an_exact_binomial_and_none_is_not_judged():
    found = coverage(held(1, 20, 0))
    assert (found.method, found.lower) == ("one_shop", pytest.approx(0.025 ** (1 / 20)))
    assert coverage(loop("mild", [0.5])) is None
    assert goal(loop("mild", [0.5]), "coverage", "mild").why == "no_intervals"


def test_promotions_of_null_shops_are_false():
    shops = tuple(range(700, 710))
    quiet = [null_day(seed, night) for seed in shops for night in range(1, 61)]
    assert goal(quiet, "false_promotions", "null").judgement == "met"
    assert goal(quiet[:-60], "false_promotions", "null").why == "few_shops"
    once = [null_day(700, 1, verdict="promote"), *quiet[1:]]
    assert goal(once, "false_promotions", "null").judgement == "met"
    twice = [null_day(700, night, verdict="promote") for night in (1, 2)]
    # Two are too many already, in however few shops.
    assert goal(twice, "false_promotions", "null").judgement == "not_met"
    assert gap_closed(quiet) is None


def null_day(seed: int, night: int, **said) -> LoopDay:
    rounding = FIRST * (1 + 1e-15)
    return LoopDay("null", seed, "metacart", night, "2026-01-18", FIRST, FIRST, FIRST, rounding, **said)
