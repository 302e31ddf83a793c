"""The gate's findings in short: each once, against all policies that it was made against."""

from features.contracts.findings import Finding, finding
from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluation import evaluate
from offline_rl.ope.trust.verdict import reach_verdict
from reports.summaries.verdict_reasons import in_short
from reports.wording.sentences import say, say_in_short
from tests.offline_rl.ope.worlds import coin_log


def reasons_of_the_gate(n: int, **plays_one: float) -> tuple[Finding, ...]:
    policies = {name: coin_log(n, play) for name, play in ({"log": 0.5} | plays_one).items()}
    evaluation = evaluate(policies, [from_name("dr")], n_resamples=200)
    return reach_verdict(evaluation, "new", "log", [name for name in plays_one if name != "new"]).reasons


def test_a_gain_over_several_is_said_once() -> None:
    reasons = reasons_of_the_gate(400, new=0.9, plain=0.7)

    assert [(short.finding.code, short.others) for short in in_short(reasons)] == [
        ("gain_shown", ("log", "plain"))
    ]
    assert say_in_short(reasons, "new") == "A gain is shown against log, plain."


def test_no_gain_and_harm_are_said_of_whom_they_are_found() -> None:
    assert say_in_short(reasons_of_the_gate(400, new=0.5, plain=0.6), "new") == (
        "No gain is shown against log, plain."
    )
    assert say_in_short(reasons_of_the_gate(400, new=0.2), "another") == "new: harm is shown against log."


def test_a_refusal_keeps_its_numbers() -> None:
    [doubt] = in_short(reasons_of_the_gate(12, new=0.9))

    assert (doubt.finding.code, doubt.finding.because[0].code) == ("cannot_be_judged", "few_clusters")
    assert doubt.finding.because[0].numbers == {"n_clusters": 12, "least": 100, "clusters": "users"}


def test_refusals_of_one_policy_become_one_and_come_before_comparisons() -> None:
    few = finding("few_clusters", "a", n_clusters=9, least=100, clusters="users")
    unseen = finding("little_support", "a", supported_share=0.5, least=0.95)
    refusals = [Finding("cannot_be_judged", "a", because=doubts) for doubts in ((few,), (few, unseen))]
    gain = finding("gain_shown", "a", other="b", difference=0.2, lower=0.1, upper=0.3, confidence=0.95)

    assert say_in_short([refusals[0], gain, refusals[1]], "a") == (
        "Can't be judged: only 9 users, fewer than 100; the log could show only 50.0% of what the policy "
        "does, less than 95.0%. A gain is shown against b."
    )


def test_what_is_neither_is_said_in_full() -> None:
    kept = [finding("segment_kept", "a", harm_probability=0.71, keep_above=0.5)]

    assert say_in_short(kept, "a") == say(kept)
    assert say_in_short((), "a") == ""
