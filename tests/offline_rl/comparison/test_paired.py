"""Learners against plain ones on paper: one round a segment, reward 1, so that a policy's value is w.

Propensities are 1/2 and the reward model says 0, so w, and the value, is twice the policy's probability.
"""

import numpy as np
import polars as pl
import pytest

from features.contracts.outputs import FEWEST_SEGMENTS
from flows.stages.learner_tables import comparison_table
from offline_rl.comparison.paired import Comparison, compare_learners, segment_values
from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluated_policies import Evaluation
from offline_rl.ope.evaluation import evaluate
from offline_rl.ope.records import EvaluationRounds, Floats

POOLED = "pooled_reward_model"
KEY = {"run_id": "r", "domain": "recommendation"}


def seen_by(value: Floats, segment: np.ndarray, q_hat: float = 0.0) -> EvaluationRounds:
    """One policy's rounds, by the value of each."""
    n = len(value)
    model = np.full(n, q_hat)
    return EvaluationRounds(
        reward=np.ones(n),
        propensity=np.full(n, 0.5),
        evaluation_prob=value / 2,
        cluster=np.arange(n),
        segment=segment,
        q_logged=model,
        q_policy=model,
    )


def evaluation(policies: dict[str, Floats], segment: np.ndarray | None = None) -> Evaluation:
    where = np.arange(len(next(iter(policies.values())))) if segment is None else segment
    rounds = {name: seen_by(np.asarray(value), where) for name, value in policies.items()}
    return evaluate(rounds, [from_name("dr")], n_resamples=10)


def compared(evaluated: Evaluation, segments: list[int]) -> dict[tuple[str, str], Comparison]:
    found = compare_learners(evaluated, evaluated.policies, segments, resamples=200, confidence=0.95)
    return {(one.learner, one.baseline): one for one in found}


def test_a_gain_in_every_segment_is_claimed_from_enough_segments_on() -> None:
    evaluated = evaluation({POOLED: np.full(20, 0.5), "maml": np.full(20, 0.6)})
    enough = compared(evaluated, list(range(FEWEST_SEGMENTS)))["maml", POOLED]
    assert (enough.n_segments, enough.is_claimed) == (20, True)
    assert (enough.difference, enough.lower, enough.upper) == pytest.approx((0.1, 0.1, 0.1))
    fewer = compared(evaluated, list(range(FEWEST_SEGMENTS - 1)))["maml", POOLED]
    assert fewer.difference == pytest.approx(0.1)
    assert (fewer.p_value, fewer.is_claimed) == (enough.p_value, False)


def test_a_gain_that_may_be_chance_is_not_claimed() -> None:
    uneven = 0.5 + np.tile([0.21, -0.2], 10)
    one = compared(evaluation({POOLED: np.full(20, 0.5), "maml": uneven}), list(range(20)))["maml", POOLED]
    assert one.difference == pytest.approx(0.005)
    assert one.lower is not None and one.lower < 0
    assert not one.is_claimed


def test_segments_count_alike_and_rounds_are_paired() -> None:
    segment = np.array([0, 0, 0, 4])
    pooled, maml = np.array([0.1, 0.5, 0.3, 0.2]), np.array([0.4, 0.8, 0.6, 0.3])
    one = compared(evaluation({POOLED: pooled, "maml": maml}, segment), [0, 4])["maml", POOLED]
    # +0.3 in each round of segment 0 and +0.1 in the only one of segment 4
    assert one.difference == pytest.approx(0.2)
    assert (one.lower, one.upper) == pytest.approx((0.1, 0.3))


def test_values_are_the_means_of_doubly_robust_rows() -> None:
    segment = np.array([0, 0, 1])
    rounds = seen_by(np.array([0.2, 0.9, 0.4]), segment, q_hat=0.25)
    evaluated = evaluate({"maml": rounds}, [from_name("dr")], n_resamples=10)
    # q + w (1 - q): 0.25 + 0.75 w
    rows = 0.25 + 0.75 * np.array([0.2, 0.9, 0.4])
    np.testing.assert_allclose(segment_values(evaluated, "maml", [1, 0]), [rows[2], rows[:2].mean()])


def test_only_the_segments_asked_for_count() -> None:
    evaluated = evaluation({POOLED: np.full(4, 0.5), "maml": np.array([0.9, 0.6, 0.6, 0.1])})
    assert compared(evaluated, [1, 2])["maml", POOLED].difference == pytest.approx(0.1)


def test_every_learner_meets_every_other_plain_one_of_the_night() -> None:
    names = [POOLED, "fine_tuned", "random_effects", "maml"]
    evaluated = evaluation({name: np.full(2, 0.5) for name in ["logging", *names]})
    found = compare_learners(evaluated, names, [0, 1], resamples=50, confidence=0.95)
    assert {(one.learner, one.baseline) for one in found} == {
        ("fine_tuned", POOLED),
        ("fine_tuned", "random_effects"),
        ("random_effects", POOLED),
        ("random_effects", "fine_tuned"),
        ("maml", POOLED),
        ("maml", "fine_tuned"),
        ("maml", "random_effects"),
    }


def test_p_values_of_a_learner_are_adjusted_for_all_that_it_meets() -> None:
    names = {POOLED: 0.5, "fine_tuned": 0.5, "random_effects": 0.5, "maml": 0.6}
    found = compared(evaluation({name: np.full(20, value) for name, value in names.items()}), list(range(20)))
    of_maml = [one for (learner, _), one in found.items() if learner == "maml"]
    assert len(of_maml) == 3
    assert all(one.holm_p_value == pytest.approx(3 * (one.p_value or 0.0)) for one in of_maml)


def test_a_difference_of_rounding_is_none() -> None:
    evaluated = evaluation({POOLED: np.full(20, 0.5), "maml": np.full(20, 0.5 + 1e-8)})
    one = compared(evaluated, list(range(20)))["maml", POOLED]
    assert (one.difference, one.p_value, one.is_claimed) == (0.0, 1.0, False)


def test_one_segment_has_a_difference_and_no_spread() -> None:
    evaluated = evaluation({POOLED: np.array([0.5]), "maml": np.array([0.7])})
    one = compared(evaluated, [0])["maml", POOLED]
    assert one.difference == pytest.approx(0.2)
    assert (one.lower, one.upper, one.p_value, one.holm_p_value) == (None, None, None, None)
    table = comparison_table([one], KEY)
    assert table["n_segments"].to_list() == [1]
    assert table.select("lower", "upper", "p_value", "holm_p_value").null_count().row(0) == (1, 1, 1, 1)


@pytest.mark.parametrize("policies", [[POOLED, "maml"], [POOLED]])
def test_without_a_segment_or_a_learner_the_table_is_empty(policies: list[str]) -> None:
    evaluated = evaluation({name: np.full(2, 0.5) for name in policies})
    segments = [] if len(policies) == 2 else [0, 1]
    found = compare_learners(evaluated, policies, segments, resamples=50, confidence=0.95)
    assert found == []
    both = pl.concat([comparison_table(found, KEY), comparison_table([Comparison("a", "b", 1, 0.1)], KEY)])
    assert both.height == 1
