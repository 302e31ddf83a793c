from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from features.contracts.findings import finding
from offline_rl.ope.estimators.estimator import Estimator
from offline_rl.ope.estimators.named_estimators import PLAIN, from_name
from offline_rl.ope.estimators.table import TABLE
from offline_rl.ope.evaluated_policies import Evaluation
from offline_rl.ope.evaluation import evaluate
from offline_rl.ope.grouped_clusters import grouped
from offline_rl.ope.intervals.choice import INTERVAL_NAMES, IntervalName
from offline_rl.ope.policy_value import WHOLE_LOG, PolicyValue
from offline_rl.ope.records import EvaluationRounds
from tests.offline_rl.ope.worlds import World, coin_log

IPS, SNIPS = (from_name(name) for name in ("ips", "snips"))

ON_OTHER_COLUMNS = {row.name for row in TABLE if set(row.needs) - {"q_logged", "q_policy"}}
EVERY_ESTIMATOR = [estimator for name, estimator in PLAIN.items() if name not in ON_OTHER_COLUMNS]


def one_row(
    evaluation: Evaluation, policy: str, estimator: str, segment: int | None = WHOLE_LOG
) -> PolicyValue:
    (row,) = [
        row
        for row in evaluation.policy_values()
        if (row.policy, row.estimator, row.segment) == (policy, estimator, segment)
    ]
    return row


def on_policy(reward: list[float], cluster: list[int] | None = None) -> EvaluationRounds:
    n = len(reward)
    return EvaluationRounds.of_logging_policy(
        reward=np.array(reward, dtype=float),
        propensity=np.full(n, 0.5),
        cluster=np.arange(n) if cluster is None else np.array(cluster),
        segment=np.zeros(n, dtype=int),
    )


@pytest.fixture(scope="module")
def in_segments() -> EvaluationRounds:
    """600 rounds in segments 2, 5 and 11, of 100 users who appear in all of them."""
    rounds = World().log(600, seed=0)
    return replace(
        rounds, segment=np.repeat([5, 2, 11], 200), cluster=np.random.default_rng(0).integers(0, 100, 600)
    )


@pytest.mark.parametrize("estimator", EVERY_ESTIMATOR, ids=lambda e: e.name)
def test_a_segment_is_worth_what_its_rounds_are(in_segments: EvaluationRounds, estimator: Estimator) -> None:
    evaluation = evaluate({"new": in_segments}, [estimator], n_resamples=20)
    assert evaluation.segments == (WHOLE_LOG, 2, 5, 11)
    for segment in evaluation.segments:
        rounds = in_segments if segment is WHOLE_LOG else in_segments.select(in_segments.segment == segment)
        row = one_row(evaluation, "new", estimator.name, segment)
        assert row.value == pytest.approx(float(estimator.value(estimator.terms(rounds).sum(axis=0))))
        assert (row.n_rounds, row.n_users) == (rounds.n, len(np.unique(rounds.cluster)))
        assert row.lower <= row.value <= row.upper


def test_a_row_carries_its_diagnostics(in_segments: EvaluationRounds) -> None:
    evaluation = evaluate({"new": in_segments}, [SNIPS], n_resamples=20)
    row, diagnostics = one_row(evaluation, "new", "snips", 5), evaluation.diagnostics_of("new", 5)
    assert row.ess == diagnostics.ess
    assert row.mean_weight == pytest.approx(in_segments.weight[:200].mean())
    assert diagnostics.mean_weight_lower < row.mean_weight < diagnostics.mean_weight_upper
    method = finding("bca", "new", clusters="users", n_resamples=20)
    assert row.interval_findings == (method,)
    assert row.interval_method.startswith("bias-corrected and accelerated bootstrap")


def test_the_same_seed_gives_the_same_rows(in_segments: EvaluationRounds) -> None:
    def rows(seed: int) -> tuple[PolicyValue, ...]:
        return evaluate({"new": in_segments}, EVERY_ESTIMATOR, n_resamples=50, seed=seed).policy_values()

    assert rows(7) == rows(7)
    assert rows(7) != rows(8)


@pytest.mark.parametrize("estimator", EVERY_ESTIMATOR, ids=lambda e: e.name)
def test_a_policy_and_itself_differ_by_exactly_nothing(
    in_segments: EvaluationRounds, estimator: Estimator
) -> None:
    same = {"one": in_segments, "other": World().log(600, seed=0), "two": replace(in_segments)}
    same["other"] = replace(in_segments, evaluation_prob=in_segments.propensity)
    evaluation = evaluate(same, [estimator], n_resamples=50)
    for segment in evaluation.segments:
        difference = evaluation.difference("one", "two", estimator.name, segment)
        assert (difference.value, difference.lower, difference.upper) == (0.0, 0.0, 0.0)


def test_paired_differences_are_narrower_than_their_ends_suggest() -> None:
    world = World()
    evaluation = evaluate(
        {"new": world.log(2000, 0), "log": world.log(2000, 0, logged_log=True)}, [IPS], n_resamples=300
    )
    new, log = one_row(evaluation, "new", "ips"), one_row(evaluation, "log", "ips")
    difference = evaluation.difference("new", "log", "ips")
    assert difference.value == pytest.approx(new.value - log.value)
    assert difference.upper - difference.lower < 0.9 * (new.upper - log.lower - (new.lower - log.upper))


@pytest.mark.parametrize("interval", INTERVAL_NAMES)
@pytest.mark.parametrize("estimator", EVERY_ESTIMATOR, ids=lambda e: e.name)
def test_no_kind_of_interval_tells_a_policy_from_itself(
    in_segments: EvaluationRounds, estimator: Estimator, interval: IntervalName
) -> None:
    evaluation = evaluate({"one": in_segments, "two": in_segments}, [estimator], n_resamples=50)
    for segment in evaluation.segments:
        difference = evaluation.difference("one", "two", estimator.name, segment, interval=interval)
        assert (difference.value, difference.lower, difference.upper) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("interval", INTERVAL_NAMES)
def test_the_kind_of_interval_is_asked_for_and_named(
    in_segments: EvaluationRounds, interval: IntervalName
) -> None:
    asked = evaluate({"new": in_segments}, EVERY_ESTIMATOR, n_resamples=100, interval=interval)
    rows = asked.policy_values()
    default = evaluate({"new": in_segments}, EVERY_ESTIMATOR, n_resamples=100)
    assert rows == default.policy_values(interval=interval)
    assert {row.interval_findings[0].code for row in rows} == {interval}
    assert {row.interval_findings[0].text("clusters") for row in rows} == {"users"}
    assert all(row.lower < row.value < row.upper for row in rows if row.segment is WHOLE_LOG)


def test_kinds_of_interval_agree_where_rewards_are_many_and_weights_light() -> None:
    evaluation = evaluate({"new": World().log(4000, seed=0)}, [SNIPS, IPS])
    for estimator in ("snips", "ips"):
        rows = [
            row
            for name in INTERVAL_NAMES
            for row in evaluation.policy_values(interval=name)
            if (row.estimator, row.segment) == (estimator, WHOLE_LOG)
        ]
        widths = [row.upper - row.lower for row in rows]
        assert max(widths) < 1.06 * min(widths)


def test_an_interval_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="no interval is called 'normal'"):
        evaluate({"new": coin_log(20, 0.5)}, [IPS], interval="normal")
    evaluation = evaluate({"new": coin_log(20, 0.5)}, [IPS], n_resamples=5)
    with pytest.raises(ValueError, match="no interval is called 'hoeffding'"):
        evaluation.policy_values(interval="hoeffding")


def test_a_log_of_few_effective_rounds_says_what_its_intervals_cover() -> None:
    heavy = World(level=0.3, logged_taste=4.0).log(200, seed=1)
    row = one_row(evaluate({"new": heavy}, [IPS], n_resamples=200), "new", "ips")
    covered = finding("covers_less", "new", covered=0.62, least=0.0, under=15)
    assert row.interval_findings[-1] == covered


def test_a_log_that_lacks_what_the_policy_prefers_says_so() -> None:
    # All that was logged is a quarter of what the policy does, though nobody counted the rest.
    lacking = coin_log(400, 0.5, evaluation_prob=np.where(np.arange(400) % 2 == 1, 0.2, 0.05))
    row = one_row(evaluate({"new": lacking}, [IPS], n_resamples=200), "new", "ips")
    assert row.interval_findings[-1] == finding("covers_less_at_odd_weights", "new", covered=0.0)
    known = replace(lacking, unsupported_mass=np.full(400, 0.75))
    row = one_row(evaluate({"new": known}, [IPS], n_resamples=200), "new", "ips")
    assert [found.code for found in row.interval_findings] == ["bca"]


def test_many_users_are_resampled_in_groups_that_change_little(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = World().log(6000, seed=5)
    whole = evaluate({"new": rounds, "same": rounds}, EVERY_ESTIMATOR)
    monkeypatch.setattr("offline_rl.ope.evaluation.grouped", partial(grouped, most=1500))
    by_group = evaluate({"new": rounds, "same": rounds}, EVERY_ESTIMATOR)
    assert by_group.log.cells.n_clusters == 1500
    for one, other in zip(whole.policy_values(), by_group.policy_values(), strict=True):
        assert other.value == pytest.approx(one.value, rel=1e-12)
        assert (other.n_users, other.ess) == (6000, one.ess)
        assert other.upper - other.lower == pytest.approx(one.upper - one.lower, rel=0.15)
    for estimator in EVERY_ESTIMATOR:
        difference = by_group.difference("new", "same", estimator.name)
        assert (difference.lower, difference.upper) == (0.0, 0.0)


def test_a_long_log_is_summed_in_parts(
    in_segments: EvaluationRounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = evaluate({"new": in_segments}, EVERY_ESTIMATOR, n_resamples=20)
    monkeypatch.setattr("offline_rl.ope.evaluation.ROUNDS_AT_ONCE", 70)
    in_parts = evaluate({"new": in_segments}, EVERY_ESTIMATOR, n_resamples=20)
    assert np.allclose(in_parts.values, whole.values, rtol=1e-12)
    assert np.allclose(in_parts.resampled, whole.resampled, rtol=1e-12)


def test_a_log_without_a_click_is_not_sure_of_zero() -> None:
    row = one_row(evaluate({"log": on_policy([0] * 200)}, [IPS], n_resamples=50), "log", "ips")
    assert (row.value, row.lower, row.upper) == (0.0, 0.0, pytest.approx(1 - 0.025 ** (1 / 200)))
    users, rounds = {"clusters": "users"}, {"units": "rounds", "effective": 200.0}
    assert row.interval_findings == (
        finding("bca", "log", n_resamples=50, **users),
        finding("widened_for_rare_rewards", "log", n_clusters=0, **users, **rounds),
    )


def test_equal_rewards_are_not_sure_of_themselves() -> None:
    row = one_row(evaluate({"log": on_policy([1] * 50)}, [SNIPS], n_resamples=50), "log", "snips")
    assert (row.value, row.upper) == (1.0, 1.0)
    assert row.lower == pytest.approx(0.025 ** (1 / 50))


def test_one_user_leaves_no_interval() -> None:
    evaluation = evaluate({"log": on_policy([0, 1, 0], [4, 4, 4])}, [IPS], n_resamples=50)
    row = one_row(evaluation, "log", "ips")
    assert row.value == pytest.approx(1 / 3)
    assert np.isnan([row.lower, row.upper]).all()
    assert row.interval_findings == (finding("no_interval", "log", clusters="users"),)
    assert np.isnan(evaluation.diagnostics_of("log").mean_weight_lower)


def test_from_few_users_an_interval_is_no_shorter_than_students() -> None:
    users = np.repeat(np.arange(5), 40)
    reward = users + np.tile([0.0, 1.0], 100)
    evaluation = evaluate({"log": on_policy(reward.tolist(), users.tolist())}, [IPS], n_resamples=200)
    row = one_row(evaluation, "log", "ips")
    # Means of users are 0.5 to 4.5: a standard error of √(2.5 / 5), and 2.776 of it to either side.
    assert row.value - row.lower >= 2.776 * 0.5**0.5 - 1e-3
    assert row.upper - row.value >= 2.776 * 0.5**0.5 - 1e-3
    widened = finding("widened_for_few_clusters", "log", n_clusters=5, clusters="users")
    assert row.interval_findings[1] == widened


def test_few_clicks_of_one_user_widen_by_what_the_whole_log_knows_of_users() -> None:
    # In segment 0 every user clicks always or never, so that 10 rounds say as much as one.
    user = np.repeat(np.arange(200), 10)
    reward = (user % 2).astype(float)
    segment = np.where(user < 180, 0, 1)
    silent = np.where(segment == 1, 0.0, reward)
    rounds = replace(on_policy(silent.tolist(), user.tolist()), segment=segment)
    row = one_row(evaluate({"log": rounds}, [IPS], n_resamples=50), "log", "ips", 1)
    assert row.upper == pytest.approx(1 - 0.025 ** (1 / 20), rel=1e-6)


def test_the_direct_method_says_what_its_interval_leaves_out() -> None:
    row = one_row(evaluate({"new": coin_log(300, 0.5)}, [from_name("dm")], n_resamples=20), "new", "dm")
    assert row.interval_findings[-1] == finding("model_error_left_out", "new")


def test_a_value_that_is_not_identified_has_no_row() -> None:
    apart = coin_log(300, 0.5, evaluation_prob=np.zeros(300))
    rows = evaluate({"new": apart}, [SNIPS, from_name("dr")], n_resamples=20).policy_values()
    assert {row.estimator for row in rows} == {"dr"}
    # DR then rests on the model alone; the interval admits every reward there is.
    assert (rows[0].lower, rows[0].upper) == (0.0, 1.0)


def test_resamples_that_identify_nothing_are_reported() -> None:
    rounds = coin_log(40, 0.5, evaluation_prob=np.r_[0.5, np.zeros(39)])
    row = one_row(evaluate({"new": rounds}, [SNIPS], n_resamples=200), "new", "snips")
    # A resample misses the only round with weight with probability (39/40)^40, about 0.36.
    (left_out,) = (found for found in row.interval_findings if found.code == "undefined_resamples")
    assert 40 < left_out.number("n_undefined") < 110
    assert (row.lower, row.upper) == (0.0, pytest.approx(0.975))


def test_a_tiny_segment_has_its_rows() -> None:
    rounds = replace(World().log(500, seed=3), segment=np.r_[np.zeros(499, dtype=int), 1])
    row = one_row(evaluate({"new": rounds}, EVERY_ESTIMATOR, n_resamples=100), "new", "dr", 1)
    assert (row.n_rounds, row.n_users) == (1, 1)
    assert row.upper - row.lower > 0.9


def test_a_missing_name_is_answered_with_those_there_are() -> None:
    evaluation = evaluate({"new": coin_log(20, 0.5)}, [IPS], n_resamples=5)
    with pytest.raises(ValueError, match=r"policy 'old' was not evaluated\. Evaluated were new\."):
        evaluation.difference("new", "old", "ips")
    with pytest.raises(ValueError, match=r"segment 3 was not evaluated\. Evaluated were all, 0\."):
        evaluation.diagnostics_of("new", 3)


@pytest.mark.parametrize("column", ["reward", "propensity", "cluster", "segment"])
def test_policies_are_compared_on_the_same_rounds(column: str) -> None:
    rounds = coin_log(20, 0.5)
    changed = getattr(rounds, column).copy()
    changed[13] = 1 - changed[13] / 2
    with pytest.raises(ValueError, match=f"^row 13: {column} of b differs from that of a"):
        evaluate({"a": rounds, "b": replace(rounds, **{column: changed})}, [IPS])


def test_policies_have_equally_many_rounds() -> None:
    with pytest.raises(ValueError, match="b has 4 rounds and a has 6"):
        evaluate({"a": coin_log(6, 0.5), "b": coin_log(4, 0.5)}, [IPS])


def test_nothing_to_evaluate_is_refused() -> None:
    with pytest.raises(ValueError, match="no policy to evaluate"):
        evaluate({}, [IPS])
    with pytest.raises(ValueError, match="at least one round"):
        evaluate({"a": coin_log(0, 0.5)}, [IPS])
