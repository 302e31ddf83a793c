"""The tail of contributions: solved on paper, and blind to what weights alone explain."""

from dataclasses import replace
from math import inf, isnan, log

import numpy as np
import pytest

from offline_rl.ope.bootstrap import Interval
from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluation import evaluate
from offline_rl.ope.records import EvaluationRounds
from offline_rl.ope.trust.contribution_tail import (
    ContributionTail,
    contribution_tail,
    correction_tail,
    hill_index,
    tail_doubts,
)
from offline_rl.ope.trust.diagnostics import diagnose
from offline_rl.ope.trust.trust import GateSettings, assess
from offline_rl.ope.trust.verdict import reach_verdict
from reports.wording.sentences import sentences
from tests.offline_rl.ope.coverage_study import Setting
from tests.offline_rl.ope.money_study import MoneyWorld, gamma, log_normal
from tests.offline_rl.ope.worlds import coin_log

MODEST = MoneyWorld(3000, 0.05, *gamma(4))
ALL = Interval(0.9, 1.1)


def orders(reward: list[float], *, weight: float = 1.0, cluster: list[int] | None = None) -> EvaluationRounds:
    n = len(reward)
    return EvaluationRounds(
        reward=np.array(reward),
        propensity=np.full(n, 0.25),
        evaluation_prob=np.full(n, 0.25 * weight),
        cluster=np.arange(n) if cluster is None else np.array(cluster),
        segment=np.zeros(n, dtype=np.int64),
    )


def with_order(rounds: EvaluationRounds, size: float) -> EvaluationRounds:
    """The log with one more buyer, who spends that much, in the round whose weight is largest."""
    reward = rounds.reward.copy()
    reward[np.argmax(rounds.weight)] = size
    return replace(rounds, reward=reward)


def codes(tail: ContributionTail) -> list[str]:
    return [doubt.code for doubt in tail_doubts(tail)]


def test_four_orders_by_hand() -> None:
    tail = contribution_tail(orders([10.0, 20.0, 0.0, 30.0], weight=2.0, cluster=[1, 1, 2, 3]))
    # User 1 contributes 2 · 30 by two orders, user 3 as much by one, user 2 nothing.
    assert (tail.n, tail.largest, tail.largest_share, tail.effective) == (2, 60.0, 0.5, 2.0)
    assert tail.amount_share == 0.5
    assert tail.amount_effective == pytest.approx(45**2 / (15**2 + 30**2))
    assert isnan(tail.index)


def test_an_order_in_ten_lines_is_one_order() -> None:
    lines = np.repeat(np.arange(60), 10)
    line = np.random.default_rng(0).gamma(2, 5, 600)
    line[:10] = 900.0
    split = contribution_tail(orders(line.tolist(), cluster=lines.tolist()))
    whole = contribution_tail(orders(np.bincount(lines, line).tolist()))
    assert split.largest == pytest.approx(9000.0)
    assert split.largest_share == pytest.approx(whole.largest_share)
    assert split.effective == pytest.approx(whole.effective)


def test_refunds_count_by_their_size() -> None:
    sold = contribution_tail(orders([5.0, 5.0, 90.0]))
    refunded = contribution_tail(orders([5.0, 5.0, -90.0]))
    assert (refunded.largest, refunded.largest_share) == (-90.0, sold.largest_share)


@pytest.mark.parametrize("k", [0.3, 0.6, 1.0])
def test_hill_finds_the_index_of_a_pareto_law(k: float) -> None:
    sizes = np.random.default_rng(3).random(20_000) ** -k
    index, n_tail = hill_index(sizes)
    assert index == pytest.approx(k, abs=4 * k / np.sqrt(n_tail))
    assert hill_index(100 * sizes) == (pytest.approx(index), n_tail)


def test_hill_measures_counts_from_halfway_below_them() -> None:
    # Of 100 counts 20 are asked for; those above the 21st are 15 twos and 4 threes, measured from 1.5.
    counts = np.repeat([1.0, 2.0, 3.0], [81, 15, 4])
    index, n_tail = hill_index(counts)
    assert n_tail == 19
    assert index == pytest.approx((15 * log(2 / 1.5) + 4 * log(3 / 1.5)) / 19)


@pytest.mark.parametrize("most", [1.0, 3.0, 1000.0])
def test_a_cap_is_no_tail(most: float) -> None:
    sizes = np.minimum(np.random.default_rng(5).random(500) ** -1.0, most)
    assert hill_index(sizes) == (-inf, 0) or most == 1000.0
    assert hill_index(np.append(sizes, np.full(5, 1000.0))) == (-inf, 0)


@pytest.mark.parametrize("world", ["light", "heavy", "heavier", "heavy, high reward"])
def test_clicks_are_never_doubted_for_their_weights(world: str) -> None:
    for seed in range(20):
        rounds = Setting(world, 1000, users_return=True).log(seed)
        whole, corrections = contribution_tail(rounds), diagnose(rounds, ALL).corrections
        assert corrections is not None
        assert tail_doubts(whole) == tail_doubts(corrections) == ()


def test_a_click_log_of_20_unequal_weights_is_left_to_the_checks_of_weights() -> None:
    rounds = orders([1.0] * 20 + [0.0] * 380)
    uneven = replace(rounds, evaluation_prob=np.where(np.arange(400) < 1, 1.0, 0.05))
    tail = contribution_tail(uneven)
    assert tail.largest_share > 0.5
    assert tail.effective < 4
    assert tail_doubts(tail) == ()


def test_one_whale_is_named_with_its_share_and_its_size() -> None:
    modest = MODEST.log(1)
    assert codes(contribution_tail(modest)) == []
    tail = contribution_tail(with_order(modest, 30_000.0))
    assert codes(tail) == ["largest_contribution", "few_contributions"]
    assert tail.largest == pytest.approx(1.6 * 30_000.0)
    reasons = sentences(
        assess(diagnose(with_order(modest, 30_000.0), ALL), ALL, GateSettings("ips"), "rounds").reasons
    )
    assert reasons[0].startswith(
        f"One of the rounds holds {tail.largest_share:.0%} of all weighted rewards, 48,000 "
    )


def test_few_buyers_are_left_to_the_check_of_informative_users() -> None:
    assert tail_doubts(contribution_tail(orders([900.0] + [1.0] * 18 + [0.0] * 300))) == ()


@pytest.mark.parametrize(("sigma", "expected"), [(0.8, False), (2.5, True)])
def test_log_normal_money_is_trusted_by_its_sigma(sigma: float, expected: bool) -> None:
    tail = contribution_tail(MoneyWorld(4000, 0.05, *log_normal(sigma)).log(2))
    assert ("heavy_tail" in codes(tail)) == expected


def test_a_model_that_knows_the_orders_explains_their_tail_away() -> None:
    rounds = MoneyWorld(4000, 1.0, *log_normal(2.5)).log(4)
    noise = np.random.default_rng(0).uniform(0.5, 1.5, rounds.n)
    foretold = replace(
        rounds, q_logged=rounds.reward - noise, q_policy=np.full(rounds.n, rounds.reward.mean())
    )
    of_rewards = contribution_tail(foretold)
    of_corrections = correction_tail(foretold, of_rewards)
    assert of_corrections is not None
    assert "heavy_tail" in codes(of_rewards)
    diagnostics = diagnose(foretold, ALL)
    assert not assess(diagnostics, ALL, GateSettings("snips")).trusted
    assert of_corrections.effective > 1000
    assert "largest_contribution" not in codes(of_corrections)


def test_a_model_never_makes_a_tail() -> None:
    rounds = MoneyWorld(1200, 1.0, *gamma(4)).log(0)
    of_rewards = contribution_tail(rounds)
    corrections = correction_tail(rounds, of_rewards)
    assert corrections is not None
    assert corrections.index <= of_rewards.index
    assert correction_tail(replace(rounds, q_logged=None, q_policy=None), of_rewards) is None


def test_a_promotion_that_rests_on_one_order_is_held_in_the_log_and_in_its_segment() -> None:
    rng = np.random.default_rng(0)
    n = 2000
    reward = np.where(np.arange(n) % 2 == 1, rng.gamma(4, 10.0, n), rng.gamma(4, 9.0, n))
    segment = np.repeat([0, 1], n // 2)
    policies = {
        name: coin_log(n, play, reward=reward, segment=segment) for name, play in (("log", 0.5), ("new", 0.9))
    }
    estimators = [from_name(name) for name in ("dr", "ips")]
    assert reach_verdict(evaluate(policies, estimators, n_resamples=200), "new", "log").verdict == "promote"
    with_whale = {
        name: replace(rounds, reward=np.where(np.arange(n) == 1501, 60_000.0, reward))
        for name, rounds in policies.items()
    }
    evaluation = evaluate(with_whale, estimators, n_resamples=200)
    for where in (None, 1):
        verdict = reach_verdict(evaluation, "new", "log", segment=where)
        assert verdict.verdict == "hold"
        assert "one of the users holds " in sentences(verdict.reasons)[0]
        assert (
            "of all weighted corrections, 108,000 by itself, more than 20%" in sentences(verdict.reasons)[0]
        )
    assert reach_verdict(evaluation, "new", "log", segment=0).verdict != "hold" or not any(
        "weighted" in reason
        for reason in sentences(reach_verdict(evaluation, "new", "log", segment=0).reasons)
    )


def test_gaps_of_a_price_list_are_no_tail() -> None:
    # Nine of ten orders cost 9 or 49, the others 129 to 1,290: ratios are large, and the tail is that of a
    # geometric number of items.
    rng = np.random.default_rng(6)
    prices = np.where(
        rng.random(400) < 0.85, rng.choice([9.0, 19.0, 49.0], 400), 129.0 * rng.geometric(0.7, 400)
    )
    tail = contribution_tail(orders(np.append(prices, np.zeros(4000)).tolist()))
    assert tail.reward_pareto_k <= tail.exponential_k
    assert tail_doubts(replace(tail, index=1.2, amount_index=1.2)) == ()
    assert codes(replace(tail, index=1.2, amount_index=1.2, pareto_k=0.6, amount_pareto_k=0.6)) == [
        "heavy_tail"
    ]
