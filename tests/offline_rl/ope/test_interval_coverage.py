"""How often the intervals hold the truth; bands are three binomial standard deviations wide."""

from dataclasses import replace

import numpy as np
import pytest

from offline_rl.ope.bootstrap import percentile_interval
from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluation import evaluate
from offline_rl.ope.intervals.coverage_labels import KEPT
from offline_rl.ope.records import EvaluationRounds
from offline_rl.ope.trust.verdict import GateSettings, reach_verdict
from reports.wording.sentences import sentences
from tests.offline_rl.ope.coverage_study import (
    BY_BOUNDS,
    SIZES,
    WORLDS,
    Coverage,
    Setting,
    by_bounds,
    coverage,
    of_any_estimator,
)
from tests.offline_rl.ope.worlds import World

IPS, SNIPS, DR = (from_name(name) for name in ("ips", "snips", "dr"))

MILD, MILD_HIGH = World(level=0.3), World(level=0.9)
HEAVY, HEAVY_HIGH = World(level=0.3, logged_taste=4.0), World(level=0.9, logged_taste=5.0)
# Of 1,000 rounds half a one is worth anything here, but the sample's own effective size says 60.
HIDDEN = World(level=0.3, logged_taste=9.0)


def band(share: float, replicates: int) -> float:
    return 3 * np.sqrt(share * (1 - share) / replicates)


def study(world: World, *, n: int, replicates: int) -> dict[str, Coverage]:
    """Coverage of each estimator's interval, and of SNIPS when its denominator is not resampled."""
    estimators = [IPS, SNIPS, DR]
    intervals: dict[str, list[tuple[float, float]]] = {}
    for seed in range(replicates):
        rounds = world.log(n, seed)
        evaluation = evaluate({"new": rounds}, estimators, n_resamples=300, seed=seed)
        for row in evaluation.policy_values():
            if row.segment is None:
                intervals.setdefault(row.estimator, []).append((row.lower, row.upper))
        snips = float(evaluation.values[0, 1, 0])
        # IPS values over the sample's own mean weight: what resampling normalized rounds amounts to.
        frozen = percentile_interval(snips, evaluation.resampled[0, 0, 0] / rounds.weight.mean(), 0.95)
        intervals.setdefault("frozen snips", []).append((frozen.lower, frozen.upper))
    return {name: coverage(np.array(ends), world.truth) for name, ends in intervals.items()}


def test_a_resampled_denominator_halves_the_interval_and_keeps_its_promise() -> None:
    found = study(MILD_HIGH, n=500, replicates=150)
    assert found["snips"].share > 0.95 - band(0.95, 150)
    assert found["frozen snips"].share > 0.98
    assert found["frozen snips"].width > 1.5 * found["snips"].width


OTHER_LOGS = 10_000
"""First seed of logs that the labels were not made from."""
FEWEST_LOGS = 100
"""With the same label, of 400 in a setting. Fewer were picked by their own luck: those of a heavy world that
happen to lack its large weights look like light ones, and no label can know (`STUDY`)."""


@pytest.mark.slow
@pytest.mark.parametrize("users_return", [False, True], ids=["rounds", "returning users"])
@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("world", WORLDS)
def test_every_interval_covers_what_it_says(world: str, n: int, users_return: bool) -> None:
    study = of_any_estimator(Setting(world, n, users_return), 400, OTHER_LOGS)
    for key, found in study.intervals.items():
        if np.mean([label is None for label in found.label]) > 0.95:
            # One and a half standard errors of 400 logs, as a true 0.93 must not fail.
            share, most = found.holds.mean(), 1.0 if found.widened.mean() > 0.05 else KEPT[1]
            assert KEPT[0] - 0.02 < share < most + 0.01, (key, share)
        for label in set(found.label):
            holds = found.holds[[each == label for each in found.label]]
            if len(holds) < FEWEST_LOGS:
                continue
            is_less = label is not None and label.code != "covers_more"
            least = label.number("covered") if is_less else KEPT[0]
            assert holds.mean() >= least - band(max(least, 0.05), len(holds)), (key, label, holds.mean())


@pytest.mark.slow
@pytest.mark.parametrize("n", [200, 1000, 5000])
@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("name", BY_BOUNDS)
def test_intervals_by_bounds_never_under_cover(name: str, world: str, n: int) -> None:
    replicates = 60 if name.startswith("confidence sequence") else 400
    found = by_bounds(Setting(world, n, users_return=False), name, replicates, OTHER_LOGS)
    assert found.share >= 0.95 - band(0.95, replicates)


@pytest.mark.parametrize("n", [1000, 4000])
def test_where_the_log_hides_what_matters_the_gate_holds(n: int) -> None:
    for seed in range(30):
        policies = {"new": HIDDEN.log(n, seed), "log": HIDDEN.log(n, seed, logged_log=True)}
        verdict = reach_verdict(evaluate(policies, [DR], n_resamples=200), "new", "log")
        assert verdict.verdict == "hold"
        assert sentences(verdict.reasons)[0].startswith("new can't be judged")


def faithful_users(seed: int, n_users: int, rounds_each: int) -> EvaluationRounds:
    """On-policy rounds of users: half of them click always, half never."""
    clicks = np.repeat(np.random.default_rng(seed).random(n_users) < 0.5, rounds_each)
    return EvaluationRounds.of_logging_policy(
        reward=clicks.astype(float),
        propensity=np.full(len(clicks), 0.5),
        cluster=np.repeat(np.arange(n_users), rounds_each),
        segment=np.zeros(len(clicks), dtype=int),
    )


def test_users_who_return_are_resampled_as_users() -> None:
    by_user, by_round = [], []
    for seed in range(150):
        rounds = faithful_users(seed, n_users=80, rounds_each=6)
        as_if_independent = replace(rounds, cluster=np.arange(rounds.n))
        for log, ends in ((rounds, by_user), (as_if_independent, by_round)):
            row = evaluate({"log": log}, [IPS], n_resamples=300, seed=seed).policy_values()[0]
            ends.append((row.lower, row.upper))
    assert coverage(np.array(by_user), 0.5).share > 0.95 - band(0.95, 150)
    assert coverage(np.array(by_round), 0.5).share < 0.75


def clicks(seed: int, n: int, expected_clicks: float) -> dict[str, EvaluationRounds]:
    """Few clicks under a uniform policy; the new one prefers one of four actions, all equally good."""
    rng = np.random.default_rng(seed)
    action, rate = rng.integers(0, 4, n), np.full(n, expected_clicks / n)
    columns = {
        "reward": (rng.random(n) < rate).astype(float),
        "propensity": np.full(n, 0.25),
        "cluster": np.arange(n),
        "segment": np.zeros(n, dtype=int),
        "q_logged": rate,
    }
    new = EvaluationRounds(**columns, evaluation_prob=np.where(action == 0, 0.775, 0.075), q_policy=rate)
    return {"new": new, "log": EvaluationRounds.of_logging_policy(**columns)}


@pytest.mark.parametrize("expected_clicks", [2, 5])
def test_with_few_clicks_the_widened_interval_keeps_its_promise(expected_clicks: float) -> None:
    widened, plain = [], []
    for seed in range(150):
        evaluation = evaluate(clicks(seed, 1000, expected_clicks), [SNIPS], n_resamples=200, seed=seed)
        row = evaluation.policy_values()[0]
        bare = percentile_interval(row.value, evaluation.resampled[0, 0, 0], 0.95)
        widened.append((row.lower, row.upper))
        plain.append((bare.lower, bare.upper))
    assert coverage(np.array(widened), expected_clicks / 1000).share > 0.95 - band(0.95, 150)
    assert coverage(np.array(plain), expected_clicks / 1000).share < 0.85


@pytest.mark.slow
@pytest.mark.parametrize("expected_clicks", [30, 100])
def test_the_gate_seldom_promotes_or_rejects_an_equal_policy(expected_clicks: float) -> None:
    verdicts = [
        reach_verdict(
            evaluate(clicks(seed, 2000, expected_clicks), [DR], n_resamples=300, seed=seed),
            "new",
            "log",
        ).verdict
        for seed in range(400)
    ]
    assert verdicts.count("promote") / 400 < 0.025 + band(0.025, 400)
    # Rare clicks are skewed: intervals miss more often above than below, and harm is seen too often.
    assert verdicts.count("reject") / 400 < 0.05 + band(0.05, 400)
    assert verdicts.count("hold") < 400


def test_without_enough_clicks_the_gate_holds() -> None:
    evaluation = evaluate(clicks(0, 2000, 10), [DR], n_resamples=100)
    assert reach_verdict(evaluation, "new", "log").verdict == "hold"
    assert (
        "fewer than 20"
        in sentences(reach_verdict(evaluation, "new", "log", settings=GateSettings()).reasons)[0]
    )
