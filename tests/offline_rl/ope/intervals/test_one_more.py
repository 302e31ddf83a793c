"""Ends that reckon with one more cluster like the largest."""

from dataclasses import replace
from math import nan

import numpy as np
import pytest

from features.contracts.interval_codes import COVERAGES
from offline_rl.ope.bootstrap import Interval
from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluation import evaluate
from offline_rl.ope.intervals.one_more import reaching_one_more
from tests.offline_rl.ope.money_study import MoneyWorld, clicks, gamma, log_normal

IPS, SNIPS = from_name("ips"), from_name("snips")

LOG_NORMAL, CLICKS = MoneyWorld(3000, 0.05, *log_normal(1.0)), MoneyWorld(3000, 0.05, *clicks(1))


def test_each_end_moves_by_the_largest_move_in_its_direction() -> None:
    # Ten values, one of 11 and nine of 1: the mean is 2, without the 11 it is 1, without a 1 it is 19/9.
    left_out = np.array([1.0] + [19 / 9] * 9)
    moved = reaching_one_more(Interval(0.5, 4.0, n_undefined=2), 2.0, left_out)
    assert moved == Interval(pytest.approx(0.5 - 1 / 9), 5.0, 2)


def test_clusters_without_which_nothing_is_known_move_nothing() -> None:
    assert reaching_one_more(Interval(0.0, 1.0), 0.5, np.array([nan, nan])) == Interval(0.0, 1.0)
    unknown = reaching_one_more(Interval(nan, nan), 0.5, np.array([0.4, 0.6]))
    assert np.isnan(unknown.lower)


def test_revenue_reaches_out_and_clicks_stay_as_they_were() -> None:
    for world, reaches in ((LOG_NORMAL, True), (CLICKS, False)):
        evaluation = evaluate({"new": world.log(3)}, [IPS, SNIPS], n_resamples=200)
        for row in evaluation.policy_values():
            codes = [found.code for found in row.interval_findings]
            assert ("widened_for_heavy_tail" in codes) == reaches


def test_a_policy_still_does_not_beat_itself_by_revenue() -> None:
    log = LOG_NORMAL.log(3)
    difference = evaluate({"a": log, "b": log}, [IPS], n_resamples=100).difference("a", "b", "ips")
    assert (difference.lower, difference.upper) == (0.0, 0.0)


def test_differences_reach_out_too() -> None:
    log = LOG_NORMAL.log(3)
    logging = type(log).of_logging_policy(
        reward=log.reward, propensity=log.propensity, cluster=log.cluster, segment=log.segment
    )
    evaluation = evaluate({"a": log, "log": logging}, [IPS], n_resamples=200)
    found = evaluation.difference("a", "log", "ips")
    largest = (np.abs(log.weight - 1) * log.reward).max() / log.n
    bare = np.quantile(evaluation.resampled[0, 0, 0] - evaluation.resampled[1, 0, 0], [0.025, 0.975])
    assert found.upper - found.lower > bare[1] - bare[0] + 0.5 * largest


@pytest.mark.parametrize(("share", "named"), [(0.05, False), (0.15, True)])
def test_an_order_above_a_tenth_of_all_is_named_beside_the_interval(share: float, named: bool) -> None:
    log = MoneyWorld(3000, 0.05, *gamma(4)).log(5)
    largest = int(np.argmax(log.weight))
    others = float((log.weight * log.reward).sum() - log.weight[largest] * log.reward[largest])
    order = share / (1 - share) * others / log.weight[largest]
    bought = replace(log, reward=np.where(np.arange(log.n) == largest, order, log.reward))
    for row in evaluate({"new": bought}, [IPS, SNIPS], n_resamples=50).policy_values():
        found = {found.code: found for found in row.interval_findings}
        assert ("notable_contribution" in found) == named
        assert not found.keys() & COVERAGES.keys()
        if named:
            largest = found["notable_contribution"]
            assert (largest.number("share"), largest.text("of")) == (pytest.approx(share), "weighted rewards")
