"""Logs that must be refused, each for the right reasons, and logs that must not be."""

from dataclasses import replace
from math import inf, nan

import numpy as np
import pytest

from offline_rl.ope.bootstrap import Interval
from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluation import evaluate
from offline_rl.ope.records import EvaluationRounds
from offline_rl.ope.trust.diagnostics import Diagnostics
from offline_rl.ope.trust.trust import GateSettings, Trust, assess
from reports.wording.sentences import sentences
from tests.offline_rl.ope.worlds import World

IPS = from_name("ips")

SETTINGS = GateSettings()

SOUND = Diagnostics(
    n_rounds=10_000,
    n_clusters=5000,
    ess=4000.0,
    design_effect=1.0,
    top_cluster_share=0.001,
    mean_weight=1.0,
    mean_weight_lower=0.98,
    mean_weight_upper=1.02,
    max_weight=12.0,
    supported_share=1.0,
    n_informative_clusters=300,
    pareto_k=0.3,
    top_weight_share=0.05,
)


def trust_in(rounds: EvaluationRounds, seed: int = 0) -> Trust:
    evaluation = evaluate({"new": rounds}, [IPS], n_resamples=300, seed=seed, cluster_name="rounds")
    interval = evaluation.mean_weight_interval("new", None, SETTINGS.mean_weight_confidence)
    return assess(evaluation.diagnostics_of("new"), interval, SETTINGS, "rounds")


def says(trust: Trust, *words: str) -> list[bool]:
    return [any(word in reason for reason in sentences(trust.reasons)) for word in words]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"n_clusters": 99}, "Only 99 users, fewer than 100."),
        (
            {"n_informative_clusters": 19},
            "Only 19 users have a reward that matters and is not the usual one, fewer than 20.",
        ),
        (
            {"ess": 99.0},
            "The log is worth 99.0 effective rounds of 10,000, less than 100.",
        ),
        (
            {"pareto_k": 0.71, "top_weight_share": 0.3},
            "The weights' tail is so heavy that an average of them may not settle: 1% of the rounds hold 30% "
            "of all weight, with a tail index of 0.71, above 0.70.",
        ),
        ({"top_cluster_share": 0.11}, "One of the users carries 11.0% of all weight, more than 10.0%."),
    ],
)
def test_each_doubt_is_a_sentence(changed: dict[str, float], reason: str) -> None:
    assert assess(SOUND, Interval(0.98, 1.02)) == Trust(True, ())
    doubted = assess(replace(SOUND, **changed), Interval(0.98, 1.02))
    assert not doubted.trusted
    assert sentences(doubted.reasons)[0] == reason
    assert all(sentence[0].isupper() and sentence.endswith(".") for sentence in sentences(doubted.reasons))


def test_the_gravest_doubt_comes_first() -> None:
    hopeless = replace(
        SOUND,
        n_clusters=10,
        n_informative_clusters=2,
        ess=1.5,
        pareto_k=1.4,
        top_weight_share=0.99,
        top_cluster_share=0.8,
        supported_share=0.2,
        mean_weight=3.0,
    )
    beginnings = [reason.split(",")[0] for reason in sentences(assess(hopeless, Interval(2.0, 4.0)).reasons)]
    assert beginnings == [
        "Only 10 users",
        "Only 2 users have a reward that matters and is not the usual one",
        "The log is worth 1.5 effective rounds of 10",
        "The log is worth 0.01% of its rounds",
        "The weights' tail is so heavy that an average of them may not settle: 1% of the rounds hold 99% of "
        "all weight",
        "One of the users carries 80.0% of all weight",
        "The log could show only 20.0% of what the policy does",
        "Its mean weight is 3.000 (99% interval 2.000 to 4.000) and should be 0.200: by chance",
    ]


@pytest.mark.parametrize("pareto_k", [-inf, nan, 0.7])
def test_a_tail_that_is_not_heavy_raises_no_doubt(pareto_k: float) -> None:
    assert assess(replace(SOUND, pareto_k=pareto_k, top_weight_share=0.9), Interval(0.98, 1.02)).trusted


def test_a_heavy_tail_of_next_to_nothing_raises_no_doubt() -> None:
    # Two levels of weight above the bulk look like a heavy tail, yet hold 2 % of all weight.
    levels = np.r_[np.full(5000, 0.9), np.full(4770, 1.07), np.full(200, 1.09), np.full(30, 3.0)]
    rng = np.random.default_rng(0)
    rounds = EvaluationRounds(
        reward=(rng.random(10_000) < 0.3).astype(float),
        propensity=np.full(10_000, 0.3),
        evaluation_prob=0.3 * levels / levels.mean(),
        cluster=np.arange(10_000),
        segment=np.zeros(10_000, dtype=int),
    )
    assert evaluate({"new": rounds}, [IPS], n_resamples=50).diagnostics_of("new").pareto_k > 0.7
    assert trust_in(rounds).trusted


def a_few_tiny_propensities(seed: int) -> EvaluationRounds:
    """10,000 rounds of a greedy policy over 46 items, clicks 0.46 %, evaluated for the uniform policy.

    Like the Open Bandit log of the women's campaign: propensities of shown items mostly large, a few as small
    as 1e-6. Such an item is shown once in a blue moon, and then outweighs all others.
    """
    rng = np.random.default_rng(seed)
    n, uniform = 10_000, 1 / 46
    propensity = np.clip(rng.lognormal(np.log(0.2), 1.2, n), 1e-3, 0.96)
    propensity[rng.choice(n, 8, replace=False)] = 1e-6 * 3.0 ** np.arange(8)
    return EvaluationRounds(
        reward=(rng.random(n) < 0.0046).astype(float),
        propensity=propensity,
        evaluation_prob=np.full(n, uniform),
        cluster=np.arange(n),
        segment=np.zeros(n, dtype=int),
    )


@pytest.mark.parametrize("seed", range(5))
def test_an_effective_size_of_two_in_ten_thousand_is_refused(seed: int) -> None:
    rounds = a_few_tiny_propensities(seed)
    evaluation = evaluate({"new": rounds}, [IPS], n_resamples=50)
    assert 1.5 < evaluation.diagnostics_of("new").ess < 3
    assert evaluation.diagnostics_of("new").max_weight > 20_000
    trust = trust_in(rounds)
    assert not trust.trusted
    heard = says(trust, "effective rounds", "% of its rounds", "tail is so heavy", "carries", "mean weight")
    # The mean weight is about 3, but varies so much that its own interval holds 1.
    assert heard == [True, True, True, True, False]


@pytest.mark.parametrize("counted", [True, False])
def test_a_policy_that_mostly_does_what_was_never_logged_is_refused(counted: bool) -> None:
    rounds = World(level=0.4).log(5000, seed=1)
    beyond = replace(
        rounds,
        evaluation_prob=0.2 * rounds.evaluation_prob,
        unsupported_mass=np.full(rounds.n, 0.8) if counted else None,
    )
    trust = trust_in(beyond)
    assert not trust.trusted
    assert says(trust, "could show only 20.0% of what the policy does") == [counted]
    assert says(trust, "and should be 1.000") == [not counted]


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.25])
@pytest.mark.parametrize("seed", range(3))
def test_propensities_off_by_a_factor_are_refused(factor: float, seed: int) -> None:
    rounds = World(level=0.4).log(5000, seed)
    off = replace(rounds, propensity=rounds.propensity * factor)
    trust = trust_in(off)
    assert not trust.trusted
    assert says(trust, "propensities or availability are wrong") == [True]


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("reward", nan, "row 17: reward is nan"),
        ("propensity", 1.7, "row 17: propensity is 1.7"),
        ("propensity", 0.0, "row 17: propensity is 0"),
    ],
)
def test_impossible_rows_do_not_even_become_rounds(column: str, value: float, message: str) -> None:
    rounds = World().log(50, seed=0)
    broken = getattr(rounds, column).copy()
    broken[17] = value
    with pytest.raises(ValueError, match=message):
        replace(rounds, **{column: broken})


def test_good_logs_are_trusted() -> None:
    worlds = [World(level=0.4), World(level=0.1), World(level=0.9), World(level=0.4, logged_taste=2.0)]
    found = [trust_in(worlds[seed % 4].log(1000 + 10 * seed, seed), seed) for seed in range(200)]
    assert np.mean([trust.trusted for trust in found]) >= 0.97


def test_good_logs_with_smooth_weights_are_trusted() -> None:
    trusted = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        # Log-normal weights with σ = 0.8 have mean 1 and an effective size of 53 % of the rounds.
        weight = rng.lognormal(-0.32, 0.8, 2000)
        propensity = np.full(2000, 0.01)
        rounds = EvaluationRounds(
            reward=rng.random(2000),
            propensity=propensity,
            evaluation_prob=np.minimum(weight * propensity, 1.0),
            cluster=np.arange(2000),
            segment=np.zeros(2000, dtype=int),
        )
        trusted.append(trust_in(rounds, seed).trusted)
    assert np.mean(trusted) >= 0.97


def test_chance_and_the_choice_among_candidates_are_among_the_causes_of_a_mean_weight() -> None:
    doubts = sentences(assess(replace(SOUND, mean_weight=0.9), Interval(0.85, 0.95)).reasons)
    (doubt,) = doubts
    assert "by chance, as in about 1 of 100 correct logs" in doubt
    assert "several candidates" in doubt


def test_without_an_interval_the_mean_weight_accuses_nobody() -> None:
    doubts = sentences(
        assess(replace(SOUND, n_clusters=1, mean_weight=1.01), Interval(np.nan, np.nan)).reasons
    )
    assert doubts == ("One of the users has all rounds, which do not show how far a value may be off.",)
