from dataclasses import replace

import numpy as np
import pytest

from offline_rl.ope.evaluated_policies import Evaluation
from offline_rl.ope.policy_value import PolicyValue
from offline_rl.ope.slates.evaluation import evaluate_slates
from offline_rl.ope.slates.named_estimators import ESTIMATORS
from offline_rl.ope.slates.records import SlateRounds
from tests.offline_rl.ope.slates.slate_worlds import log, truth, value

EVERY_ESTIMATOR = list(ESTIMATORS.values())


@pytest.fixture(scope="module")
def rounds() -> SlateRounds:
    return log(600, seed=0)


@pytest.fixture(scope="module")
def evaluation(rounds: SlateRounds) -> Evaluation:
    return evaluate_slates(
        {"new": rounds, "logging": rounds.logging_policy()}, EVERY_ESTIMATOR, n_resamples=200
    )


def row(evaluation: Evaluation, estimator: str, policy: str = "new") -> PolicyValue:
    (found,) = [
        row
        for row in evaluation.policy_values()
        if (row.policy, row.estimator, row.segment) == (policy, estimator, None)
    ]
    return found


def test_a_segment_is_worth_what_its_slates_are(rounds: SlateRounds, evaluation: Evaluation) -> None:
    assert evaluation.segments == (None, 0, 1)
    for found in evaluation.policy_values():
        if found.policy == "new":
            part = rounds if found.segment is None else rounds.select(rounds.segment == found.segment)
            assert found.value == pytest.approx(value(ESTIMATORS[found.estimator], part), rel=1e-12)
            assert found.lower < found.value < found.upper
            assert found.n_rounds == part.n // 2


def test_diagnostics_are_those_of_the_first_estimators_weights(
    rounds: SlateRounds, evaluation: Evaluation
) -> None:
    logging = evaluation.diagnostics_of("logging")
    assert (logging.ess, logging.mean_weight, logging.max_weight) == (600.0, 1.0, 1.0)
    effective = {
        name: evaluate_slates({"new": rounds}, [ESTIMATORS[name]], n_resamples=10).diagnostics_of("new").ess
        for name in ("sips", "rips", "iips")
    }
    assert effective["sips"] == pytest.approx(effective["rips"])
    assert effective["sips"] < effective["iips"] < 600


def test_differences_are_paired(evaluation: Evaluation) -> None:
    same = evaluation.difference("new", "new", "snrips")
    assert (same.value, same.lower, same.upper) == (0.0, 0.0, 0.0)
    gain = evaluation.difference("new", "logging", "snsips")
    assert gain.value == row(evaluation, "snsips").value - row(evaluation, "snsips", "logging").value
    assert gain.lower < gain.value < gain.upper
    with pytest.raises(ValueError, match=r"^policy 'old' was not evaluated. Evaluated were new, logging"):
        evaluation.difference("old", "new", "sips")
    with pytest.raises(ValueError, match=r"^estimator 'snips' was not evaluated"):
        evaluation.difference("new", "new", "snips")


def test_users_who_repeat_themselves_widen_the_interval() -> None:
    slates = log(600, seed=0, copies=4)
    users = replace(slates, cluster=slates.slate % 600)
    widths = []
    for each in (slates, users):
        found = row(evaluate_slates({"new": each}, [ESTIMATORS["snrips"]], n_resamples=400), "snrips")
        widths.append(found.upper - found.lower)
    # Four copies of a slate know no more than one: intervals over slates are half as wide as they should be.
    assert 1.7 < widths[1] / widths[0] < 2.3


def test_a_log_without_a_click_still_doubts(rounds: SlateRounds) -> None:
    silent = replace(rounds, reward=np.zeros(rounds.n))
    found = row(evaluate_slates({"new": silent}, [ESTIMATORS["rips"]], n_resamples=50), "rips")
    assert found.value == 0.0
    assert found.upper > 3 / 600
    assert "widened_for_rare_rewards" in [each.code for each in found.interval_findings]


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    names = ["sips", "snsips", "sniips", "snrips", "cascade_dr"]
    held = np.zeros(len(names))
    for seed in range(100):
        evaluation = evaluate_slates(
            {"new": log(400, seed, "independent")}, [ESTIMATORS[name] for name in names], n_resamples=200
        )
        held += [
            found.lower <= truth("independent") <= found.upper
            for found in evaluation.policy_values()
            if found.segment is None
        ]
    # 95 of 100, give or take three standard deviations of a binomial.
    assert (held >= 88).all()


def test_policies_see_the_same_slates(rounds: SlateRounds) -> None:
    with pytest.raises(ValueError, match=r"^row \d+: reward of new differs from that of logging"):
        evaluate_slates(
            {"logging": rounds, "new": replace(rounds, reward=1 - rounds.reward)}, [ESTIMATORS["iips"]]
        )
    with pytest.raises(ValueError, match=r"^there is no policy"):
        evaluate_slates({}, [ESTIMATORS["iips"]])
