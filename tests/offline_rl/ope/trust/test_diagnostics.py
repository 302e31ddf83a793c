from dataclasses import replace
from math import inf, nan

import numpy as np
import pytest

from offline_rl.ope.bootstrap import Interval
from offline_rl.ope.records import EvaluationRounds
from offline_rl.ope.trust.contribution_tail import ContributionTail
from offline_rl.ope.trust.diagnostics import (
    Diagnostics,
    design_effect,
    diagnose,
    diagnose_segments,
    effective_size,
)
from tests.offline_rl.ope.worlds import World, coin_log


def test_four_rounds_by_hand() -> None:
    rounds = coin_log(
        4, play_one=0.75, cluster=np.array([7, 7, 7, 9]), unsupported_mass=np.array([0.2, 0.0, 0.0, 0.2])
    )
    # Weights 0.5, 1.5, 0.5, 1.5; user 7 carries 2.5 of 4. SNIPS is 0.75, so residuals are ±0.375.
    assert diagnose(rounds, Interval(0.8, 1.2)) == Diagnostics(
        n_rounds=4,
        n_clusters=2,
        ess=16 / 5,
        design_effect=1.0,
        top_cluster_share=0.625,
        mean_weight=1.0,
        mean_weight_lower=0.8,
        mean_weight_upper=1.2,
        max_weight=1.5,
        supported_share=0.9,
        n_informative_clusters=2,
        # Both rounds of weight 1.5 are the tail, so that it ends in a wall; the largest round holds 1.5 of 4.
        pareto_k=-inf,
        top_weight_share=0.375,
        # User 7 earns 1 at weight 1.5, as user 9 does: two equal amounts, and no tail to speak of.
        weighted_rewards=ContributionTail(
            of="weighted rewards",
            n=2,
            largest=1.5,
            largest_share=0.5,
            effective=2.0,
            index=nan,
            n_tail=1,
            pareto_k=-inf,
            amount_share=0.5,
            amount_effective=2.0,
            amount_index=nan,
            amount_pareto_k=-inf,
        ),
        corrections=ContributionTail(
            of="weighted corrections",
            n=2,
            largest=1.5,
            largest_share=0.5,
            effective=2.0,
            index=nan,
            n_tail=1,
            pareto_k=-inf,
            amount_share=0.5,
            amount_effective=2.0,
            amount_index=nan,
            amount_pareto_k=-inf,
        ),
    )


def test_the_logging_policy_is_worth_all_its_rounds() -> None:
    d = diagnose(World().log(50, seed=0, logged_log=True), Interval(1.0, 1.0))
    assert (d.ess, d.mean_weight, d.max_weight, d.supported_share) == (50, 1, 1, 1)
    assert d.top_cluster_share == pytest.approx(1 / 50)
    assert (d.pareto_k, d.top_weight_share) == (-inf, pytest.approx(1 / 50))


def test_no_overlap_is_worth_nothing() -> None:
    d = diagnose(coin_log(4, 0.5, evaluation_prob=np.zeros(4)), Interval(0.0, 0.0))
    assert (d.ess, d.mean_weight, d.max_weight, d.top_cluster_share, d.design_effect) == (0, 0, 0, 0, 1)
    assert (d.pareto_k, d.top_weight_share) == (-inf, 0)


def test_one_round_can_outweigh_a_log() -> None:
    assert effective_size(np.r_[1e6, np.ones(999)]) == pytest.approx(1, rel=0.01)


def test_users_who_repeat_themselves_count_once() -> None:
    once = World().log(500, seed=1, logged_log=True)
    each_five_times = once.select(np.repeat(np.arange(500), 5))
    assert design_effect(each_five_times) == pytest.approx(5)


def test_independent_rounds_have_no_design_effect() -> None:
    assert design_effect(World().log(500, seed=1)) == pytest.approx(1)


def test_constant_rewards_have_no_design_effect() -> None:
    constant = EvaluationRounds.of_logging_policy(
        reward=np.ones(6), propensity=np.ones(6), cluster=np.arange(6) // 3, segment=np.zeros(6, dtype=int)
    )
    assert design_effect(constant) == 1


def test_clusters_are_counted_by_what_occurs_however_they_are_numbered() -> None:
    rounds = coin_log(6, 0.75, cluster=np.array([3, 3, 5, 5, 9, 9]))
    hashed = replace(rounds, cluster=rounds.cluster * 10**15 - 4 * 10**15)
    assert diagnose(rounds, Interval(1, 1)).n_clusters == 3
    assert diagnose(hashed, Interval(1, 1)) == diagnose(rounds, Interval(1, 1))


def test_segments_are_diagnosed_like_logs_of_their_own() -> None:
    segment = np.random.default_rng(0).choice([2, 5, 7], 300)
    rounds = replace(World().log(300, seed=3), segment=segment)
    intervals = [Interval(0.0, float(upper)) for upper in range(4)]
    assert diagnose_segments(rounds, intervals) == (
        diagnose(rounds, intervals[0]),
        *(diagnose(rounds.select(segment == g), intervals[1 + i]) for i, g in enumerate([2, 5, 7])),
    )
    with pytest.raises(ValueError, match="2 intervals of the mean weight for a log with 3 segments"):
        diagnose_segments(rounds, intervals[:2])
