"""How often intervals hold the truth: logs of known worlds, drawn again and again."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from math import inf
from typing import Self
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from features.contracts.findings import Finding
from features.contracts.interval_codes import COVERAGES
from offline_rl.ope import evaluation
from offline_rl.ope.bootstrap import Interval, Resamples
from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluation import evaluate
from offline_rl.ope.intervals.choice import INTERVAL_NAMES
from offline_rl.ope.intervals.clopper_pearson import weighted_clopper_pearson_interval
from offline_rl.ope.intervals.confidence_sequence import confidence_sequence
from offline_rl.ope.intervals.cressie_read import cressie_read_interval
from offline_rl.ope.intervals.empirical_bernstein import empirical_bernstein_interval
from offline_rl.ope.intervals.known_range import KnownRange
from offline_rl.ope.policy_value import PolicyValue
from offline_rl.ope.records import EvaluationRounds, Floats
from tests.offline_rl.ope.worlds import World

WORLDS = {
    "light": World(level=0.3),
    "light, high reward": World(level=0.9),
    "heavy": World(level=0.3, logged_taste=4.0),
    "heavy, high reward": World(level=0.9, logged_taste=5.0),
    "heavier": World(level=0.3, logged_taste=6.0),
}
SIZES = (200, 300, 1000, 5000)
ROUNDS_PER_USER = 5
ESTIMATORS = [from_name(name) for name in ("ips", "snips", "dr")]

ByBounds = Callable[[EvaluationRounds, KnownRange], Interval]
BY_BOUNDS: dict[str, ByBounds] = {
    "empirical Bernstein": empirical_bernstein_interval,
    "Clopper-Pearson": weighted_clopper_pearson_interval,
    "Cressie-Read": cressie_read_interval,
    "confidence sequence": confidence_sequence,
    "confidence sequence, no bound on weights": lambda rounds, bounds: confidence_sequence(
        rounds, KnownRange(bounds.lowest, bounds.highest, inf)
    ),
}


@dataclass(frozen=True)
class Setting:
    """A world, the number of rounds, and whether users return."""

    world: str
    n: int
    users_return: bool

    def log(self, seed: int) -> EvaluationRounds:
        world = WORLDS[self.world]
        return returning_users(world, self.n, seed) if self.users_return else world.log(self.n, seed)


@dataclass(frozen=True, eq=False)
class Intervals:
    """Intervals of one kind in R logs of one setting, with what was said of them.

    | field | shape | meaning |
    |---|---|---|
    | holds | [R] | whether the interval holds the truth |
    | width | [R] | upper less lower end |
    | label | [R] | what `honest_label` or `heavy_label` found, None where nothing |
    | widened | [R] | whether few rewards had it widened |
    """

    holds: NDArray[np.bool_]
    width: Floats
    label: tuple[Finding | None, ...]
    widened: NDArray[np.bool_]

    @classmethod
    def of(cls, rows: list[PolicyValue], truth: float) -> Self:
        """The intervals of one row a log."""
        found = [{each.code: each for each in row.interval_findings} for row in rows]
        return cls(
            holds=np.array([row.lower <= truth <= row.upper for row in rows]),
            width=np.array([row.upper - row.lower for row in rows]),
            label=tuple(next((of[code] for code in COVERAGES if code in of), None) for of in found),
            widened=np.array(["widened_for_rare_rewards" in of for of in found]),
        )


@dataclass(frozen=True)
class Coverage:
    """Share of intervals that hold the truth, and their mean width."""

    share: float
    width: float


@dataclass(frozen=True)
class Study:
    """Intervals by estimator and kind, and the median of the logs' effective rounds."""

    intervals: dict[tuple[str, str], Intervals]
    effective_rounds: float


def returning_users(world: World, n: int, seed: int) -> EvaluationRounds:
    """n rounds of n / 5 users, each always of one kind and 0.4 or 1.6 times as lucky as others of it.

    Luck multiplies the probability of the rarer outcome, so its average over users is the world's.
    """
    rng = np.random.default_rng([seed, 5])
    n_users = n // ROUNDS_PER_USER
    user = rng.integers(0, n_users, n)
    x = rng.integers(0, 3, n_users)[user]
    luck = np.where(rng.random(n_users) < 0.5, 0.4, 1.6)[user]
    a = (rng.random((n, 1)) > world.logging[x].cumsum(axis=1)[:, :-1]).sum(axis=1)
    p = world.reward_probability[x, a]
    rate = p * luck if world.level <= 0.5 else 1 - (1 - p) * luck
    q_hat = np.array([0.3, 0.0, 0.3, 0.0])
    return EvaluationRounds(
        reward=(rng.random(n) < rate).astype(float),
        propensity=world.logging[x, a],
        evaluation_prob=world.evaluated[x, a],
        cluster=user,
        segment=np.zeros(n, dtype=np.int64),
        q_logged=q_hat[a],
        q_policy=(world.evaluated @ q_hat)[x],
    )


@cache
def drawn(n_clusters: int, n_resamples: int) -> Floats:
    return np.concatenate(list(Resamples(n_clusters, n_resamples).counts()), axis=1)


class SharedResamples(Resamples):
    """Resamples that are drawn once for all logs of a size: they know nothing of the log, so none notices."""

    def counts(self) -> Iterator[Floats]:
        yield drawn(self.n_clusters, self.n_resamples)


def coverage(intervals: Floats, truth: float) -> Coverage:
    """Of ends [replicates, 2]; an interval that is not a number holds nothing."""
    lower, upper = intervals.T
    return Coverage(float(np.mean((lower <= truth) & (truth <= upper))), float(np.nanmean(upper - lower)))


def of_any_estimator(setting: Setting, replicates: int, first_seed: int = 0) -> Study:
    """The intervals that `policy_values` gives, of three estimators and every kind."""
    found: dict[tuple[str, str], list[PolicyValue]] = {}
    effective = []
    with patch.object(evaluation, "Resamples", SharedResamples):
        for seed in range(first_seed, first_seed + replicates):
            evaluated = evaluate({"new": setting.log(seed)}, ESTIMATORS)
            diagnostics = evaluated.diagnostics_of("new")
            effective.append(diagnostics.ess / diagnostics.design_effect)
            for name in INTERVAL_NAMES:
                for row in evaluated.policy_values(interval=name)[:3]:
                    found.setdefault((row.estimator, name), []).append(row)
    truth = WORLDS[setting.world].truth
    return Study({key: Intervals.of(rows, truth) for key, rows in found.items()}, float(np.median(effective)))


def by_bounds(setting: Setting, name: str, replicates: int, first_seed: int = 0) -> Coverage:
    """Coverage of an interval that rests on true bounds."""
    world = WORLDS[setting.world]
    bounds = KnownRange(0, 1, float((world.evaluated / world.logging).max()))
    seeds = range(first_seed, first_seed + replicates)
    each = [BY_BOUNDS[name](setting.log(seed), bounds) for seed in seeds]
    return coverage(np.array([(one.lower, one.upper) for one in each]), world.truth)
