from dataclasses import replace

import numpy as np
import pytest

from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.records import EvaluationRounds
from tests.laws.estimators import value

IPS = from_name("ips")

# Two loggers of 4 rounds each choose between an action that pays 1 and one that pays 0; the new policy
# plays the paying one with probability 3/4.
PAYS = np.array([1, 0, 1, 0, 1, 0, 0, 0])
LOGGER = np.array([0, 0, 0, 0, 1, 1, 1, 1])
PAYS_PROB = np.array([0.5, 0.25])


def two_loggers() -> EvaluationRounds:
    mixture = PAYS_PROB.mean()
    return EvaluationRounds(
        reward=PAYS.astype(float),
        propensity=np.where(PAYS == 1, PAYS_PROB[LOGGER], 1 - PAYS_PROB[LOGGER]),
        evaluation_prob=np.where(PAYS == 1, 0.75, 0.25),
        cluster=np.arange(8),
        segment=np.zeros(8, dtype=int),
        q_logged=np.zeros(8),
        q_policy=np.zeros(8),
        logger=LOGGER,
        balanced_propensity=np.where(PAYS == 1, mixture, 1 - mixture),
    )


def test_two_loggers_by_hand() -> None:
    # w r: 1.5 twice under logger 0 (mean 3/4, variance 9/16), 3 once under logger 1 (3/4 and 27/16).
    rounds = two_loggers()
    assert value(IPS, rounds) == 0.75
    # All three paid rounds weigh 0.75 / 0.375.
    assert value(from_name("balanced_loggers_ips"), rounds) == 0.75
    assert value(from_name("weighted_loggers_ips:2"), rounds) == pytest.approx(0.75)
    doubled = replace(rounds, reward=np.where(LOGGER == 1, 2, 1) * rounds.reward)
    # Means 3/4 and 3/2, variances 9/16 and 27/4: weights 12 to 1.
    assert value(from_name("weighted_loggers_ips:2"), doubled) == pytest.approx((12 * 0.75 + 1.5) / 13)


def seen_by_three(n: int, seed: int) -> EvaluationRounds:
    """Rounds of 3 loggers of unlike sizes, with a rough reward model."""
    rng = np.random.default_rng(seed)
    logger = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    loggers = np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1], [0.03, 0.07, 0.9]])
    evaluated, earned = np.array([0.5, 0.4, 0.1]), np.array([0.6, 0.3, 0.1])
    action = (rng.random((n, 1)) > loggers[logger].cumsum(axis=1)[:, :-1]).sum(axis=1)
    q_hat = np.array([0.5, 0.4, 0.0])
    share = np.bincount(logger, minlength=3) / n
    return EvaluationRounds(
        reward=(rng.random(n) < earned[action]).astype(float),
        propensity=loggers[logger, action],
        evaluation_prob=evaluated[action],
        cluster=np.arange(n),
        segment=np.zeros(n, dtype=int),
        q_logged=q_hat[action],
        q_policy=np.full(n, evaluated @ q_hat),
        logger=logger,
        balanced_propensity=(share @ loggers)[action],
    )


@pytest.mark.parametrize("name", ["weighted_loggers_ips:3", "weighted_loggers_dr:3"])
def test_weighted_values_are_those_of_the_pipeline_s_formula(name: str) -> None:
    """Mean of z n / (var_k Σ_j n_j / var_j) over rounds, with numpy's variance by logger."""
    rounds = seen_by_three(900, seed=0)
    assert rounds.q_policy is not None
    z = rounds.weight * rounds.reward
    if name == "weighted_loggers_dr:3":
        z = rounds.q_policy + rounds.weight * (rounds.reward - rounds.q_logged)
    sizes = np.array([(rounds.logger == k).sum() for k in range(3)])
    variances = np.array([z[rounds.logger == k].var() for k in range(3)])
    stratum_weight = rounds.n / (variances * (sizes / variances).sum())
    assert value(from_name(name), rounds) == pytest.approx(
        (z * stratum_weight[rounds.logger]).mean(), rel=1e-9
    )


def test_one_logger_is_no_logger() -> None:
    rounds = replace(seen_by_three(300, seed=1), logger=np.zeros(300, dtype=int))
    assert value(from_name("weighted_loggers_ips:1"), rounds) == pytest.approx(value(IPS, rounds), rel=1e-12)
    assert value(from_name("weighted_loggers_ips:4"), rounds) == pytest.approx(value(IPS, rounds), rel=1e-12)


def test_a_logger_that_never_earned_does_not_take_over() -> None:
    rounds = two_loggers()
    unlucky = replace(rounds, reward=np.where(LOGGER == 1, 0.0, rounds.reward))
    assert value(from_name("weighted_loggers_ips:2"), unlucky) == value(IPS, unlucky) == 0.375


def test_balanced_and_weighted_vary_less_than_naive() -> None:
    names = ("ips", "balanced_loggers_ips", "balanced_loggers_dr", "weighted_loggers_ips:3")
    estimators = [from_name(name) for name in names]
    values = np.array([[value(e, seen_by_three(500, seed)) for e in estimators] for seed in range(100)])
    naive, balanced, balanced_dr, weighted = values.std(axis=0)
    assert weighted < 0.95 * naive
    assert balanced < 0.7 * naive
    assert balanced_dr < balanced


def twelve_nights(seed: int) -> EvaluationRounds:
    """500 rounds of each of 12 nights: 9 of 10 show the night's best of 30 items, the others any item.

    The new policy does the same with the last item, which three of the nights held to be best.
    """
    rng, n, items, explored = np.random.default_rng(seed), 500, 30, 0.1
    rate = np.linspace(0.05, 0.09, items)
    best = np.array([items - 1] * 3 + rng.integers(items - 1, size=9).tolist())
    shown = np.full((12, items), explored / items)
    shown[np.arange(12), best] += 1.0 - explored
    action = np.concatenate([rng.choice(items, size=n, p=of_night) for of_night in shown])
    night = np.repeat(np.arange(12), n)
    evaluated = np.full(items, explored / items)
    evaluated[-1] += 1.0 - explored
    return EvaluationRounds(
        reward=(rng.random(12 * n) < rate[action]).astype(float),
        propensity=shown[night, action],
        evaluation_prob=evaluated[action],
        cluster=np.arange(12 * n),
        segment=np.zeros(12 * n, dtype=int),
        q_logged=np.full(12 * n, 0.07),
        q_policy=np.full(12 * n, 0.07),
        logger=night,
        balanced_propensity=shown.mean(axis=0)[action],
    )


TWELVE_NIGHTS_TRUTH = 0.9 * 0.09 + 0.1 * 0.07
"""The new policy's click rate: the last item's, and where it explores that of all items."""


def test_weights_made_of_rewards_lean_to_unlucky_nights() -> None:
    """A night where the policy's item was shown once and not clicked seems sure, and is sure too low."""
    names = ("dr", "balanced_loggers_dr", "weighted_loggers_dr:12")
    estimators = [from_name(name) for name in names]
    values = np.array([[value(e, twelve_nights(seed)) for e in estimators] for seed in range(100)])
    error, spread = values.mean(axis=0) - TWELVE_NIGHTS_TRUTH, values.std(axis=0)
    assert abs(error[0]) < 3 * spread[0] / 10
    assert abs(error[1]) < 3 * spread[1] / 10
    assert error[2] < -3 * spread[2]


def test_a_logger_beyond_the_last_is_named() -> None:
    with pytest.raises(ValueError, match=r"^row 4: logger is 1, but weighted_loggers_ips:1 knows 1"):
        from_name("weighted_loggers_ips:1").terms(two_loggers())
