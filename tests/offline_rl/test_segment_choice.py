"""Which segments a new policy serves, on logs of a fair coin: who bets on heads earns what it bets."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluated_policies import Evaluation
from offline_rl.ope.evaluation import evaluate
from offline_rl.ope.records import EvaluationRounds
from offline_rl.segment_choice import SegmentChoice, _first_half, choose_segments, mixed

N, SEGMENTS = 6000, 6
SEGMENT = np.arange(N) % SEGMENTS


def bets(heads: np.ndarray, seed: int = 0, pays: np.ndarray | float = 0.5) -> EvaluationRounds:
    """A policy that says heads with this probability; the log said it half of the time; it may pay."""
    random = np.random.default_rng(seed)
    is_heads = random.random(N) < 0.5
    return EvaluationRounds(
        reward=(is_heads & (random.random(N) < pays)).astype(np.float64),
        propensity=np.full(N, 0.5),
        evaluation_prob=np.where(is_heads, heads, 1 - heads),
        cluster=np.arange(N) // 2,
        segment=SEGMENT,
        q_logged=np.zeros(N),
        q_policy=np.zeros(N),
    )


def evaluated(policies: dict[str, EvaluationRounds]) -> Evaluation:
    return evaluate(policies, [from_name("dr")], n_resamples=200, seed=0)


def chosen(
    by_segment: list[float], *, seed: int = 0, keep_above: float = 0.5, protected: tuple[int, ...] = ()
) -> SegmentChoice:
    candidate = bets(np.array(by_segment)[SEGMENT], seed)
    today = bets(np.full(N, 0.5), seed)
    return choose_segments(
        candidate, today, evaluated, estimator="dr", keep_above=keep_above, seed=seed, protected=protected
    )


def value(rounds: EvaluationRounds) -> float:
    return evaluated({"p": rounds}).value("p", "dr")


def test_a_segment_that_loses_keeps_what_serves_today() -> None:
    choice = chosen([0.9, 0.9, 0.9, 0.9, 0.9, 0.1])

    assert choice.kept == {5}
    harm = {effect.segment: effect.harm for effect in choice.effects}
    assert harm[5] > 0.99
    assert max(harm[segment] for segment in range(5)) < 0.01


def test_a_protected_segment_keeps_it_whatever_the_candidate_earns() -> None:
    assert chosen([0.9] * 6, protected=(2,)).kept == {2}


@pytest.mark.parametrize(("keep_above", "kept"), [(1.0, set()), (0.0, set(range(6)))])
def test_the_threshold_is_the_configurations(keep_above: float, kept: set[int]) -> None:
    assert chosen([0.9] * 6, keep_above=keep_above).kept == kept


def test_what_serves_is_worth_more_than_the_candidate_where_it_harms() -> None:
    candidate = bets(np.array([0.9, 0.9, 0.9, 0.9, 0.9, 0.1])[SEGMENT])

    assert value(chosen([0.9, 0.9, 0.9, 0.9, 0.9, 0.1]).served) > value(candidate) + 0.02


def test_a_choice_by_chance_gains_nothing_on_average() -> None:
    """The candidate differs from today's by noise: valued by its own rewards, the choice would gain."""
    gains = []
    for seed in range(60):
        tilt = np.random.default_rng(seed).normal(0, 0.3, N).clip(-0.45, 0.45)
        candidate, today = bets(0.5 + tilt, seed), bets(np.full(N, 0.5), seed)
        choice = choose_segments(candidate, today, evaluated, estimator="dr", keep_above=0.5, seed=seed)
        gains.append(value(choice.served) - value(today))
    error = np.std(gains, ddof=1) / len(gains) ** 0.5
    # the true difference of a tilt that knows nothing of the rewards is zero
    assert abs(np.mean(gains)) < 3 * error


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31))
def test_a_mixture_is_the_candidate_or_todays_policy_row_by_row(seed: int) -> None:
    random = np.random.default_rng(seed)
    candidate, today = bets(random.random(N), seed), bets(np.full(N, 0.5), seed)
    stays = random.random(N) < 0.5

    served = mixed(candidate, today, stays)

    assert (served.evaluation_prob[stays] == today.evaluation_prob[stays]).all()
    assert (served.evaluation_prob[~stays] == candidate.evaluation_prob[~stays]).all()
    assert (served.reward == candidate.reward).all()


def test_rounds_of_one_cluster_lie_in_one_half() -> None:
    cluster = np.random.default_rng(0).integers(0, 50, 400)

    in_first = _first_half(cluster, seed=1)

    assert all(len(set(in_first[cluster == one])) == 1 for one in range(50))
    assert 10 < len(set(cluster[in_first])) < 40


def test_a_threshold_that_is_no_probability_is_refused() -> None:
    with pytest.raises(ValueError, match="keep_above is 2"):
        chosen([0.9] * 6, keep_above=2.0)
