"""Every estimator obeys the laws of the family; each has its own besides."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from offline_rl.ope.estimators.estimator import Estimator
from offline_rl.ope.estimators.named_estimators import PLAIN, WITH_HYPERPARAMETER, from_name
from offline_rl.ope.records import EvaluationRounds
from tests.laws.estimators import LAWS, full_log, value
from tests.offline_rl.ope.worlds import coin_log

IPS = from_name("ips")

HYPERPARAMETER = {
    "ips": "10",
    "dr": "10",
    "switch_dr": "3",
    "dr_os": "10",
    "subgaussian_ips": "0.1",
    "subgaussian_dr": "0.1",
    "balanced": "10",
    "weighted_loggers_ips": "2",
    "weighted_loggers_dr": "2",
}
NAMES = [
    *PLAIN,
    *(f"{family}:{number}" for family, number in HYPERPARAMETER.items()),
]
SHRUNKEN = ["dr_os:10", "subgaussian_ips:0.1", "subgaussian_dr:0.1"]


def test_every_member_is_under_the_laws() -> None:
    assert set(HYPERPARAMETER) == set(WITH_HYPERPARAMETER)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_law(law: Callable[[Estimator], None], name: str) -> None:
    law(from_name(name))


def full_coin_log(n: int, play_one: float) -> EvaluationRounds:
    rounds = coin_log(n, play_one)
    return replace(
        rounds,
        q_logged_mrdr=np.zeros(n),
        q_policy_mrdr=np.zeros(n),
        density_ratio=rounds.weight,
        marginal_weight=rounds.weight,
        logger=np.arange(n) // 2 % 2,
        balanced_propensity=rounds.propensity,
    )


@pytest.mark.parametrize("name", [name for name in NAMES if name not in SHRUNKEN])
def test_worth_of_a_coin(name: str) -> None:
    # Of 8 rounds, 4 paid; weights are 2 × 0.75 for those and 2 × 0.25 for the others: 4 × 1.5 / 8.
    expected = 0.0 if name == "dm" else 0.75
    assert value(from_name(name), full_coin_log(8, play_one=0.75)) == pytest.approx(expected, rel=1e-15)


def test_worth_of_a_coin_at_shrunken_weights() -> None:
    # 1.5 becomes 10 × 1.5 / (1.5² + 10) under dr_os:10 and 1.5 / (0.9 + 0.1 × 1.5) under subgaussian:0.1.
    rounds = full_coin_log(8, play_one=0.75)
    assert value(from_name("dr_os:10"), rounds) == pytest.approx(15 / 12.25 / 2)
    for family in ("subgaussian_ips", "subgaussian_dr"):
        assert value(from_name(f"{family}:0.1"), rounds) == pytest.approx(1.5 / 1.05 / 2)


def test_clip_cuts_the_weight() -> None:
    # Weight 2 × 0.9 = 1.8 becomes 1: half of the rounds pay 1.
    assert value(from_name("ips:1"), coin_log(8, play_one=0.9)) == 0.5
    assert value(from_name("dr:1"), coin_log(8, play_one=0.9)) == 0.5


def test_switch_drops_the_weight() -> None:
    # Weights are 1.8 (rounds that paid) and 0.2 (rounds that did not).
    assert value(from_name("switch_dr:1"), coin_log(8, play_one=0.9)) == 0.0
    assert value(from_name("switch_dr:1.8"), coin_log(8, play_one=0.9)) == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("name", "edge"),
    [
        ("ips:inf", "ips"),
        ("dr:inf", "dr"),
        ("switch_dr:0", "dm"),
        ("switch_dr:inf", "dr"),
        ("dr_os:0", "dm"),
        ("dr_os:inf", "dr"),
        ("subgaussian_ips:0", "ips"),
        ("subgaussian_dr:0", "dr"),
        ("balanced:inf", "balanced"),
    ],
)
def test_at_its_edge_an_estimator_is_another(name: str, edge: str) -> None:
    rounds = full_log(200, seed=0)
    never = rounds.select(np.arange(200))
    never = replace(never, evaluation_prob=np.where(never.cluster % 7 == 0, 0.0, never.evaluation_prob))
    for log in (rounds, never):
        assert value(from_name(name), log) == value(from_name(edge), log)


@pytest.mark.parametrize(
    ("with_model", "without"),
    [
        ("dr", "ips"),
        ("dr:2", "ips:2"),
        ("sndr", "snips"),
        ("beta_dr", "beta_ips"),
        ("subgaussian_dr:0.3", "subgaussian_ips:0.3"),
        ("mrdr", "ips"),
        ("off_cem", "mips"),
        ("balanced_loggers_dr", "balanced_loggers_ips"),
        ("weighted_loggers_dr:2", "weighted_loggers_ips:2"),
    ],
)
def test_a_silent_model_leaves_the_weighted_rewards(with_model: str, without: str) -> None:
    rounds, nothing = full_log(100, seed=0), np.zeros(100)
    silent = replace(rounds, q_logged=nothing, q_policy=nothing, q_logged_mrdr=nothing, q_policy_mrdr=nothing)
    assert value(from_name(with_model), silent) == value(from_name(without), silent)


@pytest.mark.parametrize(
    "name",
    [
        "snips",
        "sndr",
        "beta_ips",
        "beta_dr",
        "snmips",
        "balanced",
        "balanced:2",
        "empirical_likelihood",
        "cressie_read",
    ],
)
def test_normalized_values_move_with_the_reward(name: str) -> None:
    rounds, estimator = full_log(100, seed=0), from_name(name)
    raised = replace(rounds, reward=rounds.reward + 5)
    assert np.isclose(value(estimator, raised), value(estimator, rounds) + 5, rtol=1e-12)
    assert not np.isclose(value(IPS, raised), value(IPS, rounds) + 5, rtol=1e-3)


def test_an_exact_model_makes_wrong_propensities_harmless() -> None:
    rounds = coin_log(8, play_one=0.75, q_logged=np.arange(8) % 2.0, q_policy=np.full(8, 0.75))
    wrong = replace(rounds, propensity=np.full(8, 0.1))
    for name in ("dr", "dr:2", "switch_dr:3", "dr_os:10", "subgaussian_dr:0.1", "sndr"):
        assert value(from_name(name), wrong) == 0.75
    assert value(IPS, wrong) != 0.75


def test_direct_method_ignores_what_was_earned() -> None:
    rounds = full_log(100, seed=0)
    assert value(from_name("dm"), replace(rounds, reward=-rounds.reward)) == value(from_name("dm"), rounds)


@pytest.mark.parametrize(
    "name", ["snips", "sndr", "snmips", "balanced", "empirical_likelihood", "cressie_read"]
)
def test_no_overlap_identifies_nothing(name: str) -> None:
    nothing = np.zeros(100)
    rounds = replace(
        full_log(100, seed=0), evaluation_prob=nothing, density_ratio=nothing, marginal_weight=nothing
    )
    assert np.isnan(value(from_name(name), rounds))


@pytest.mark.parametrize(
    "name",
    ["dm", "dr", "dr:10", "sndr", "beta_dr", "switch_dr:1", "dr_os:1", "subgaussian_dr:0.1", "off_cem"],
)
def test_a_missing_reward_model_is_named(name: str) -> None:
    rounds = replace(full_coin_log(8, 0.5), q_logged=None, q_policy=None)
    with pytest.raises(ValueError, match=rf"^estimator {name} needs a reward model"):
        from_name(name).terms(rounds)


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("mrdr", "q_logged_mrdr"),
        ("balanced", "density_ratio"),
        ("balanced:2", "density_ratio"),
        ("mips", "marginal_weight"),
        ("snmips", "marginal_weight"),
        ("off_cem", "marginal_weight"),
        ("balanced_loggers_ips", "balanced_propensity"),
        ("balanced_loggers_dr", "balanced_propensity"),
        ("weighted_loggers_ips:2", "logger"),
        ("weighted_loggers_dr:2", "logger"),
    ],
)
def test_a_missing_column_is_named(name: str, column: str) -> None:
    with pytest.raises(ValueError, match=rf"^estimator {name} needs .* but these rounds carry no {column}\."):
        from_name(name).terms(coin_log(8, 0.5))


@dataclass(frozen=True)
class Shop:
    """Two kinds of visitors, four items in two brands; the reward depends on visitor and brand alone.

    Two logging policies write half of the log each. q̂ is wrong about brands, and right in that items of one
    brand are alike.
    """

    reward_probability = np.array([[0.8, 0.8, 0.2, 0.2], [0.1, 0.1, 0.5, 0.5]])
    loggers = np.array(
        [[[0.1, 0.2, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1]], [[0.3, 0.3, 0.3, 0.1], [0.1, 0.2, 0.2, 0.5]]]
    )
    evaluated = np.array([[0.6, 0.2, 0.1, 0.1], [0.1, 0.2, 0.3, 0.4]])
    q_hat = np.array([[0.1, 0.1, 0.4, 0.4], [0.6, 0.6, 0.0, 0.0]])

    @property
    def truth(self) -> float:
        return float((self.evaluated * self.reward_probability).sum(axis=1).mean())

    def log(self, n: int, seed: int) -> EvaluationRounds:
        rng = np.random.default_rng(seed)
        x, logger = rng.integers(0, 2, n), np.arange(n) % 2
        logged = self.loggers[logger, x]
        a = (rng.random((n, 1)) > logged.cumsum(axis=1)[:, :-1]).sum(axis=1)
        row, brand = np.arange(n), a // 2
        q_policy = (self.evaluated * self.q_hat).sum(axis=1)[x]
        by_brand = self.evaluated.reshape(2, 2, 2).sum(axis=2)[x, brand]
        logged_by_brand = logged.reshape(n, 2, 2).sum(axis=2)[row, brand]
        exact_weight = self.evaluated[x, a] / logged[row, a]
        return EvaluationRounds(
            reward=(rng.random(n) < self.reward_probability[x, a]).astype(float),
            propensity=logged[row, a],
            evaluation_prob=self.evaluated[x, a],
            cluster=row,
            segment=np.zeros_like(row),
            q_logged=self.q_hat[x, a],
            q_policy=q_policy,
            q_logged_mrdr=1 - self.q_hat[x, a],
            q_policy_mrdr=1 - q_policy,
            density_ratio=exact_weight,
            marginal_weight=by_brand / logged_by_brand,
            logger=logger,
            balanced_propensity=self.loggers.mean(axis=0)[x, a],
        )


BIASED = [*SHRUNKEN, "dm", "switch_dr:3"]


def replicated(name: str, n_replicates: int = 200) -> np.ndarray:
    """Values of an estimator on 200 logs of 500 rounds, cut from one."""
    estimator = from_name(name)
    terms = estimator.terms(Shop().log(500 * n_replicates, seed=0))
    return estimator.value(terms.reshape(n_replicates, 500, -1).sum(axis=1))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in BIASED])
def test_unbiased_with_exact_weights_and_a_wrong_model(name: str) -> None:
    # Ratios are biased by O(1/n), which 500 rounds make small.
    values = replicated(name)
    assert abs(values.mean() - Shop().truth) < 4 * values.std(ddof=1) / np.sqrt(len(values))


@pytest.mark.parametrize("name", [*BIASED, "dr:1"])
def test_the_test_of_bias_sees_a_bias(name: str) -> None:
    values = replicated(name)
    assert abs(values.mean() - Shop().truth) > 6 * values.std(ddof=1) / np.sqrt(len(values))


def test_embeddings_shrink_the_variance_of_weights() -> None:
    assert replicated("mips").std() < 0.8 * replicated("ips").std()
