"""Who serves tomorrow, on logs of a fair coin: the policy that bets on heads earns what it bets."""

import numpy as np
import pytest

from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluation import evaluate
from offline_rl.ope.records import EvaluationRounds
from offline_rl.ope.trust.verdict import GateSettings
from offline_rl.registry import elect
from reports.wording.sentences import sentences

N = 2000
HEADS = np.arange(N) % 2 == 0


def bets(heads: float | np.ndarray) -> EvaluationRounds:
    """A policy that says heads with this probability; the log said it half of the time, and heads pays 1."""
    return EvaluationRounds(
        reward=HEADS.astype(np.float64),
        propensity=np.full(N, 0.5),
        evaluation_prob=np.where(HEADS, heads, 1 - np.asarray(heads)),
        cluster=np.arange(N),
        segment=np.arange(N) // (N // 2),
        q_logged=np.zeros(N),
        q_policy=np.zeros(N),
    )


def elected(
    contenders: list[str],
    incumbent: str = "logging",
    cautious: str | None = None,
    **policies: float | np.ndarray,
):
    evaluated = {"logging": bets(0.5)} | {name: bets(heads) for name, heads in policies.items()}
    evaluation = evaluate(evaluated, [from_name("dr")], n_resamples=300, seed=0)
    return elect(lambda _: evaluation, contenders, "logging", incumbent, GateSettings(), cautious=cautious)


def test_the_first_contender_that_passes_serves():
    election = elected(["learner", "plain"], learner=0.9, plain=0.7)
    assert (election.overall.verdict, election.champion) == ("promote", "learner")


def test_a_learner_that_does_not_beat_the_plain_model_lets_it_ship():
    election = elected(["learner", "plain"], learner=0.7, plain=0.7)
    assert (election.overall.candidate, election.champion) == ("plain", "plain")
    assert sentences(election.overall.reasons)[0].startswith("learner against plain: no gain is shown")
    assert sentences(election.overall.reasons)[-1].startswith("plain against logging: a gain is shown")


def test_where_nobody_passes_the_incumbent_stays_and_the_first_contender_says_why():
    election = elected(["learner", "plain"], incumbent="today", learner=0.5, plain=0.5, today=0.8)
    assert (election.overall.candidate, election.overall.verdict) == ("learner", "hold")
    assert election.champion == "today"
    assert election.overall.strongest_baseline == "today"


@pytest.mark.parametrize("heads", [0.1, 0.5])
def test_harm_and_no_gain_never_serve(heads):
    assert elected(["learner"], learner=heads).champion == "logging"


def test_the_sharper_policy_serves_once_the_cautious_one_has_passed():
    election = elected(["plain"], cautious="soft", plain=0.9, soft=0.7)
    assert (election.overall.candidate, election.champion) == ("plain", "plain")


def test_the_cautious_policy_serves_where_it_alone_passes():
    election = elected(["learner", "plain"], cautious="soft", learner=0.5, plain=0.5, soft=0.7)
    assert (election.overall.verdict, election.champion) == ("promote", "soft")
    assert sentences(election.overall.reasons)[0].startswith("learner against logging: no gain is shown")
    assert sentences(election.overall.reasons)[-1].startswith("soft against logging: a gain is shown")


def test_nothing_serves_that_the_cautious_policy_has_not_opened_the_gate_for():
    election = elected(["learner", "plain"], cautious="soft", learner=0.9, plain=0.9, soft=0.5)
    assert (election.overall.candidate, election.overall.verdict) == ("learner", "hold")
    assert election.champion == "logging"
    assert sentences(election.overall.reasons)[-1].startswith("soft against logging: no gain is shown")


def test_who_asks_alone_gives_each_reason_once():
    reasons = sentences(elected(["plain"], plain=0.5).overall.reasons)
    assert len(reasons) == len(set(reasons)) == 1


def test_without_a_cautious_policy_the_plain_model_opens_the_gate():
    election = elected(["learner", "plain"], learner=0.9, plain=0.5)
    assert (election.overall.candidate, election.overall.verdict) == ("learner", "hold")
    assert election.champion == "logging"


def test_the_cautious_policy_must_beat_what_serves_today_too():
    election = elected(["plain"], "today", cautious="soft", plain=0.9, soft=0.7, today=0.8)
    assert election.champion == "today"


def test_each_contender_is_evaluated_on_its_own_rounds():
    """The learner is known to a hundred rounds only, where its gain is shown no more."""
    few, many = (
        evaluate(
            {name: bets(heads).select(np.arange(n)) for name, heads in policies.items()},
            [from_name("dr")],
            n_resamples=300,
            seed=0,
        )
        for n, policies in (
            (100, {"logging": 0.5, "learner": 0.9, "plain": 0.7}),
            (N, {"logging": 0.5, "plain": 0.7}),
        )
    )
    election = elect(
        lambda name: many if name == "plain" else few,
        ["learner", "plain"],
        "logging",
        "logging",
        GateSettings(),
    )
    assert election.champion == "plain"
    assert sentences(election.overall.reasons)[0].startswith("learner can't be judged")
