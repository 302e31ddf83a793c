"""The gate words its reasons in offline_rl and the report shortens them: one must understand the other."""

import numpy as np
import pytest

from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluation import evaluate
from offline_rl.ope.trust.verdict import judge
from reports.summaries.verdict_reasons import Doubt, Finding, verdict_reasons
from reports.wording import why
from tests.offline_rl.ope.worlds import coin_log


def reasons_of_the_gate(n: int, **plays_one: float) -> str:
    policies = {name: coin_log(n, play) for name, play in ({"log": 0.5} | plays_one).items()}
    evaluation = evaluate(policies, [from_name("dr")], n_resamples=200)
    return " ".join(judge(evaluation, "new", "log", [name for name in plays_one if name != "new"]).reasons)


@pytest.mark.parametrize(
    ("plays_one", "understood"),
    [
        ({"new": 0.9, "plain": 0.7}, [Finding("new", "a gain is shown", ("log", "plain"))]),
        ({"new": 0.5, "plain": 0.6}, [Finding("new", "no gain is shown", ("log", "plain"))]),
        ({"new": 0.2}, [Finding("new", "harm is shown", ("log",))]),
    ],
)
def test_the_gates_findings_are_understood(plays_one: dict[str, float], understood: list[Finding]) -> None:
    assert verdict_reasons(reasons_of_the_gate(400, **plays_one)) == tuple(understood)


def test_the_gates_doubts_are_understood() -> None:
    (doubt,) = verdict_reasons(reasons_of_the_gate(12, new=0.9))

    assert isinstance(doubt, Doubt)
    assert doubt.policy == "new"
    assert doubt.doubts[0].startswith("only 12 ")


def test_doubts_of_one_policy_that_come_in_several_sentences_become_one() -> None:
    reasons = "a can't be judged: only 9.5 rounds. a can't be judged: 0.1 of 3. b can't be judged: x."

    assert verdict_reasons(reasons) == (Doubt("a", ("only 9.5 rounds", "0.1 of 3")), Doubt("b", ("x",)))
    assert why(reasons, "a") == "Can't be judged: only 9.5 rounds; 0.1 of 3. b can't be judged: x."


@pytest.mark.parametrize(
    "other",
    [
        "",
        "Better than popular.",
        "a against b: no gain is shown, +1 (95% interval -1 to +3). And something else.",
    ],
)
def test_reasons_of_another_shape_stay_whole(other: str) -> None:
    assert verdict_reasons(other) == ()
    assert why(other, "a") == other


def test_an_order_that_makes_the_mean_is_understood_as_a_doubt() -> None:
    rng = np.random.default_rng(0)
    reward = rng.gamma(4.0, 10.0, 800)
    reward[701] = 60_000.0
    policies = {name: coin_log(800, play, reward=reward) for name, play in (("log", 0.5), ("new", 0.9))}
    reasons = " ".join(judge(evaluate(policies, [from_name("dr")], n_resamples=100), "new", "log").reasons)
    (doubt,) = verdict_reasons(reasons)
    assert isinstance(doubt, Doubt)
    assert doubt.doubts[0].startswith("one of the users holds ")
    assert why(reasons, "new").startswith("Can't be judged: one of the users holds ")
