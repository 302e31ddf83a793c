from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from offline_rl.ope.bootstrap import Interval
from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluated_policies import Evaluation
from offline_rl.ope.evaluation import evaluate
from offline_rl.ope.records import EvaluationRounds
from offline_rl.ope.trust.verdict import GateSettings, evidence_doubts, reach_verdict, unproven_lead
from reports.wording.sentences import sentences
from tests.offline_rl.ope.worlds import coin_log

N = 400


def evaluated(segment: Any = None, **plays_one: float | EvaluationRounds) -> Evaluation:
    """400 coins and policies that play 1 with the given probability; `log` played it half of the time."""
    policies = {"log": coin_log(N, 0.5)} | {
        name: coin_log(N, play) if isinstance(play, float) else play for name, play in plays_one.items()
    }
    if segment is not None:
        policies = {name: replace(rounds, segment=segment) for name, rounds in policies.items()}
    return evaluate(policies, [from_name(name) for name in ("dr", "ips")], n_resamples=300)


def test_a_gain_over_everybody_is_promoted() -> None:
    verdict = reach_verdict(evaluated(new=0.9, plain=0.7), "new", "log", ["plain"])
    assert verdict.verdict == "promote"
    assert (verdict.candidate, verdict.strongest_baseline) == ("new", "plain")
    assert verdict.difference == pytest.approx(0.2)
    assert 0.15 < verdict.lower < 0.2 < verdict.upper < 0.25
    assert sentences(verdict.reasons)[0].startswith(
        "new against log: a gain is shown, +0.400 per round (95% interval +0."
    )
    assert sentences(verdict.reasons)[1].startswith("new against plain: a gain is shown, +0.200 per round")


def test_a_gain_over_the_logging_policy_alone_is_held() -> None:
    verdict = reach_verdict(evaluated(new=0.9, plain=0.92), "new", "log", ["plain"])
    assert (verdict.verdict, verdict.strongest_baseline) == ("hold", "plain")
    assert len(verdict.reasons) == 1
    assert sentences(verdict.reasons)[0].startswith("new against plain: no gain is shown, -0.0200 per round")


def test_a_gain_that_a_first_look_shows_is_held_at_a_late_one() -> None:
    # 110 of the 200 ones are rewarded and 80 of the zeros: three standard errors.
    reward = np.zeros(N)
    reward[1:221:2], reward[0:160:2] = 1.0, 1.0
    evaluation = evaluated(log=coin_log(N, 0.5, reward=reward), new=coin_log(N, 0.9, reward=reward))
    first, late = (
        reach_verdict(evaluation, "new", "log", settings=GateSettings(look=look)) for look in (1, 200)
    )
    assert (first.verdict, late.verdict) == ("promote", "hold")
    # The verdict's own interval stays that of the settings, and the reason has the one that decides.
    assert (late.lower, late.upper) == (first.lower, first.upper)
    assert first.lower > 0 > late.reasons[0].number("lower")
    assert sentences(late.reasons)[0].startswith(
        "new against log: no gain is shown, +0.06 per round (99.99987% i"
    )
    assert sentences(late.reasons)[1].startswith("This is look number 200 at the evidence")
    assert (
        reach_verdict(evaluated(new=0.9), "new", "log", settings=GateSettings(look=200)).verdict == "promote"
    )


def test_a_weak_baseline_does_not_stand_in_for_the_strong_one() -> None:
    evaluation = evaluated(new=0.7, strong=0.9, weak=0.2)
    verdict = reach_verdict(evaluation, "new", "log", ["weak", "strong"])
    assert (verdict.verdict, verdict.strongest_baseline) == ("hold", "strong")
    assert [comparison.other for comparison in verdict.comparisons] == ["log", "weak", "strong"]
    assert reach_verdict(evaluation, "new", "log", ["weak"]).verdict == "promote"


@pytest.mark.parametrize(
    ("constant", "expected"),
    [
        (0.7, None),
        (
            0.92,
            "new against best: a loss is shown, -0.0200 per round",
        ),
        (0.9, "new against best: no difference, +0 per round (95% interval +0 to +0)."),
    ],
)
def test_a_policy_is_held_against_showing_everybody_the_same(constant: float, expected: str | None) -> None:
    said = unproven_lead(evaluated(new=0.9, best=constant), "new", "best", GateSettings())

    assert (
        said is None if expected is None else said is not None and sentences([said])[0].startswith(expected)
    )


@pytest.mark.parametrize(("n_better", "sign"), [(220, "+"), (180, "-")])
def test_a_difference_within_its_interval_is_held(n_better: int, sign: str) -> None:
    ones = np.where(np.arange(N) < n_better, 0.9, 0.1)
    mixed = coin_log(N, 0.5, evaluation_prob=np.where(np.arange(N) % 2 == 1, ones, 1 - ones))
    verdict = reach_verdict(evaluated(new=mixed), "new", "log")
    # Rounds with a gain of 0.8 outnumber those with a loss of 0.8 by 20 of 200, or the other way round.
    assert verdict.difference == pytest.approx(0.04 if sign == "+" else -0.04)
    assert verdict.lower < 0 < verdict.upper
    assert verdict.verdict == "hold"
    assert sentences(verdict.reasons)[0].startswith(
        f"new against log: no gain is shown, {sign}0.04 per round"
    )


def test_harm_is_rejected() -> None:
    verdict = reach_verdict(evaluated(new=0.2, plain=0.1), "new", "log", ["plain"])
    assert (verdict.verdict, verdict.strongest_baseline) == ("reject", "log")
    assert verdict.upper < 0
    assert len(verdict.reasons) == 1
    assert sentences(verdict.reasons)[0].startswith("new against log: harm is shown, -0.300 per round")


def test_a_policy_does_not_beat_itself() -> None:
    verdict = reach_verdict(evaluated(new=0.5), "new", "log")
    assert (verdict.verdict, verdict.difference, verdict.lower, verdict.upper) == ("hold", 0.0, 0.0, 0.0)
    assert sentences(verdict.reasons) == (
        "new against log: no gain is shown, +0 per round (95% interval +0 to +0).",
    )


def test_a_segment_is_evaluated_by_itself() -> None:
    halves = np.repeat([0, 1], N // 2)
    good_in_0 = coin_log(N, 0.5, evaluation_prob=np.where(np.arange(N) % 2 == (halves == 0), 0.9, 0.1))
    evaluation = evaluated(segment=halves, new=good_in_0)
    assert reach_verdict(evaluation, "new", "log", segment=0).verdict == "promote"
    assert reach_verdict(evaluation, "new", "log", segment=1).verdict == "reject"
    assert reach_verdict(evaluation, "new", "log").verdict == "hold"


def test_one_round_that_outweighs_the_log_is_no_evidence() -> None:
    propensity = np.full(N, 0.5)
    propensity[1] = 1e-4
    columns = {"propensity": propensity, "evaluation_prob": np.full(N, 0.5)}
    verdict = reach_verdict(
        evaluated(log=coin_log(N, 0.5, propensity=propensity), new=coin_log(N, 0.5, **columns)), "new", "log"
    )
    assert verdict.verdict == "hold"
    [sentence] = [reason for reason in sentences(verdict.reasons) if reason.startswith("new")]
    assert "the log is worth 1.2 effective rounds of 400, less than 100" in sentence
    assert "the log is worth 0.29% of its rounds, less than 1.00%" in sentence
    assert "one of the users carries 92.6% of all weight" in sentence
    # The mean weight is far from 1, but varies so much that its own test has nothing to say.
    assert "mean weight" not in sentence


def test_mass_on_actions_never_logged_is_no_evidence() -> None:
    beyond = coin_log(N, 0.5, evaluation_prob=np.full(N, 0.1), unsupported_mass=np.full(N, 0.8))
    verdict = reach_verdict(evaluated(new=beyond), "new", "log")
    assert verdict.verdict == "hold"
    assert sentences(verdict.reasons) == (
        "new can't be judged: the log could show only 20.0% of what the policy does, less than 95.0%.",
    )


def test_mass_on_actions_never_logged_shows_even_when_nobody_counted_it() -> None:
    verdict = reach_verdict(evaluated(new=coin_log(N, 0.5, evaluation_prob=np.full(N, 0.1))), "new", "log")
    assert verdict.verdict == "hold"
    assert (
        "its mean weight is 0.200 (99% interval 0.200 to 0.200) and should be 1.000"
        in sentences(verdict.reasons)[0]
    )


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.25])
def test_propensities_off_by_a_factor_are_found(factor: float) -> None:
    off = coin_log(N, 0.9)
    new = replace(off, propensity=off.propensity * factor)
    log = replace(coin_log(N, 0.5), propensity=off.propensity * factor, evaluation_prob=off.propensity)
    verdict = reach_verdict(evaluated(new=new, log=log), "new", "log")
    assert verdict.verdict == "hold"
    assert any(f"its mean weight is {1 / factor:.3f}" in reason for reason in sentences(verdict.reasons))


@pytest.mark.parametrize("rounding", [1e-7, -1e-7])
def test_rounded_probabilities_are_neither_doubted_nor_a_gain(rounding: float) -> None:
    rounded = coin_log(N, 0.5, evaluation_prob=np.full(N, 0.5 + rounding))
    verdict = reach_verdict(evaluated(new=rounded), "new", "log")
    assert verdict.verdict == "hold"
    assert sentences(verdict.reasons)[0].startswith("new against log: no gain is shown")


def test_a_baseline_without_evidence_is_no_measure() -> None:
    beyond = coin_log(N, 0.5, evaluation_prob=np.full(N, 0.1), unsupported_mass=np.full(N, 0.8))
    verdict = reach_verdict(evaluated(new=0.9, plain=beyond), "new", "log", ["plain"])
    assert verdict.verdict == "hold"
    assert sentences(verdict.reasons)[0].startswith("plain can't be judged")


def test_harm_without_evidence_is_not_shown() -> None:
    verdict = reach_verdict(evaluated(new=0.1), "new", "log", settings=GateSettings(min_clusters=500))
    assert verdict.verdict == "hold"
    assert sentences(verdict.reasons)[0] == "new can't be judged: only 400 users, fewer than 500."


def test_few_rewards_are_no_evidence() -> None:
    rare = np.zeros(N)
    rare[1:39:2] = 1
    verdict = reach_verdict(
        evaluated(log=coin_log(N, 0.5, reward=rare), new=coin_log(N, 0.9, reward=rare)), "new", "log"
    )
    assert verdict.verdict == "hold"
    assert (
        sentences(verdict.reasons)[0]
        == "new can't be judged: only 19 users have a reward that matters and is not the usual one, fewer "
        "than 20."
    )


def test_a_value_that_is_not_identified_never_promotes() -> None:
    apart = coin_log(N, 0.5, evaluation_prob=np.zeros(N))
    verdict = reach_verdict(evaluated(new=apart), "new", "log")
    assert verdict.verdict == "hold"


def test_sound_evidence_raises_no_doubt() -> None:
    evaluation = evaluated(new=0.9)
    diagnostics = evaluation.diagnostics_of("new")
    assert evidence_doubts("new", diagnostics, Interval(0.9, 1.1), GateSettings()) == ()
    assert len(evidence_doubts("new", diagnostics, Interval(1.1, 1.2), GateSettings())) == 1


def test_the_gate_can_use_another_estimator() -> None:
    assert (
        reach_verdict(evaluated(new=0.9), "new", "log", settings=GateSettings(estimator="ips")).verdict
        == "promote"
    )
    with pytest.raises(ValueError, match="estimator 'sndr' was not evaluated"):
        reach_verdict(evaluated(new=0.9), "new", "log", settings=GateSettings(estimator="sndr"))


def test_an_interval_above_zero_within_rounding_says_what_it_is_within() -> None:
    ones = coin_log(N, 0.5, evaluation_prob=np.where(np.arange(N) % 2 == 1, 0.5 + 2e-7, 0.5 - 2e-7))
    verdict = reach_verdict(evaluated(new=ones), "new", "log")
    assert 0 < verdict.lower < verdict.difference < 1e-6
    assert verdict.verdict == "hold"
    assert (
        "no gain is shown beyond the 0.0000010 that rounded probabilities may make"
        in sentences(verdict.reasons)[0]
    )
