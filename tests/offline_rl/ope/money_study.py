"""How often intervals of revenue hold the truth, and which logs are trusted: money worlds, and clicks."""

from collections.abc import Callable
from dataclasses import dataclass
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from features.contracts.interval_codes import COVERAGES
from offline_rl.ope import evaluation
from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluated_policies import Evaluation
from offline_rl.ope.evaluation import evaluate
from offline_rl.ope.intervals.choice import IntervalName
from offline_rl.ope.policy_value import PolicyValue
from offline_rl.ope.records import EvaluationRounds, Floats
from offline_rl.ope.trust.trust import GateSettings, assess
from tests.offline_rl.ope.coverage_study import SharedResamples

LOGGED, EVALUATED = np.full(4, 0.25), np.array([0.1, 0.2, 0.3, 0.4])
LIFT = 1 + 0.2 * np.arange(4)
"""How much more often each action sells, or how much more it earns where everybody buys."""

ESTIMATORS = ("ips", "snips", "dr")
Baskets = Callable[[np.random.Generator, int], Floats]


@dataclass(frozen=True)
class MoneyWorld:
    """n rounds of four actions, of which the policy prefers those that sell; weights are 0.4 to 1.6.

    buyers: share of rounds with a purchase under action 0; 1 where every round earns. baskets: draws what
    they pay; mean: its mean. whale: an order that is added to one round of action 3, and to no truth.
    per_user: rounds of one user, who spends 0.5 or 1.5 times what others do. q̂ is 0.7 of each action's mean.
    """

    n: int
    buyers: float
    baskets: Baskets
    mean: float
    whale: float = 0.0
    per_user: int = 1

    @property
    def truth(self) -> float:
        return float(self.buyers * self.mean * (EVALUATED * LIFT).sum())

    def log(self, seed: int) -> EvaluationRounds:
        rng = np.random.default_rng([seed, 27])
        user = rng.integers(0, self.n // self.per_user, self.n) if self.per_user > 1 else np.arange(self.n)
        a = rng.integers(0, 4, self.n)
        paid = self.baskets(rng, self.n)
        if self.buyers < 1:
            reward = np.where(rng.random(self.n) < self.buyers * LIFT[a], paid, 0.0)
        else:
            reward = paid * LIFT[a]
        if self.per_user > 1:
            reward = reward * np.where(rng.random(self.n) < 0.5, 0.5, 1.5)[user]
        if self.whale:
            reward[np.flatnonzero(a == 3)[0]] = self.whale
        q_hat = 0.7 * self.buyers * self.mean * LIFT
        return EvaluationRounds(
            reward=reward,
            propensity=LOGGED[a],
            evaluation_prob=EVALUATED[a],
            cluster=user,
            segment=np.zeros(self.n, dtype=np.int64),
            q_logged=q_hat[a],
            q_policy=np.full(self.n, float(EVALUATED @ q_hat)),
        )


def log_normal(sigma: float) -> tuple[Baskets, float]:
    """Baskets with logarithms around 3.5, and their mean."""
    return lambda rng, n: np.exp(3.5 + sigma * rng.standard_normal(n)), float(np.exp(3.5 + sigma**2 / 2))


def priced(rng: np.random.Generator, n: int) -> Floats:
    """One to some items off a list of six prices."""
    prices = np.array([4.99, 9.99, 9.99, 19.99, 49.0, 129.0])
    return prices[rng.integers(0, 6, n)] * rng.geometric(0.7, n)


PRICED_MEAN = float(np.mean([4.99, 9.99, 9.99, 19.99, 49.0, 129.0]) / 0.7)


def gamma(shape: float) -> tuple[Baskets, float]:
    """Baskets around 40 with a light tail."""
    return lambda rng, n: rng.gamma(shape, 40 / shape, n), 40.0


def pareto(k: float) -> tuple[Baskets, float]:
    """Baskets from 20 on with tail index k."""
    return lambda rng, n: 20 * rng.random(n) ** -k, 20 / (1 - k)


def clicks(most: int) -> tuple[Baskets, float]:
    """1 for a click, or as many as a geometric number up to a cap."""
    counts = np.arange(1, most + 1)
    shares = np.append(0.6 * 0.4 ** (counts[:-1] - 1), 0.4 ** (most - 1))
    return lambda rng, n: np.minimum(rng.geometric(0.6, n), most).astype(float), float(shares @ counts)


MONEY: dict[str, MoneyWorld] = {
    **{
        f"log-normal {sigma:g}, 2 % buy": MoneyWorld(5000, 0.02, *log_normal(sigma))
        for sigma in (0.8, 1.0, 1.5, 2.0, 2.5)
    },
    "log-normal 2.5, 1 % buy": MoneyWorld(5000, 0.01, *log_normal(2.5)),
    **{f"log-normal {s:g}, 10 % buy": MoneyWorld(1200, 0.1, *log_normal(s)) for s in (0.8, 1.0, 1.5, 2.0)},
    **{
        f"log-normal {s:g}, all buy": MoneyWorld(1200, 1.0, *log_normal(s)) for s in (0.8, 1.0, 1.5, 2.0, 2.5)
    },
    "log-normal 0.8, 2 % buy, users": MoneyWorld(5000, 0.02, *log_normal(0.8), per_user=5),
    "log-normal 1, 2 % buy, users": MoneyWorld(5000, 0.02, *log_normal(1.0), per_user=5),
    "log-normal 2, 2 % buy, users": MoneyWorld(5000, 0.02, *log_normal(2.0), per_user=5),
    "log-normal 2, 1 % buy, long": MoneyWorld(20_000, 0.01, *log_normal(2.0)),
    "price list, 2 % buy": MoneyWorld(5000, 0.02, priced, PRICED_MEAN),
    "gamma 4, 2 % buy": MoneyWorld(5000, 0.02, *gamma(4)),
    "Pareto 0.5, 2 % buy": MoneyWorld(5000, 0.02, *pareto(0.5)),
    "Pareto 0.7, all buy": MoneyWorld(1200, 1.0, *pareto(0.7)),
    "gamma 4 and one whale": MoneyWorld(5000, 0.02, *gamma(4), whale=40_000.0),
}
CLICKS: dict[str, MoneyWorld] = {
    "clicks, 2 %": MoneyWorld(5000, 0.02, *clicks(1)),
    "clicks, 30 %": MoneyWorld(1200, 0.3, *clicks(1)),
    "clicks capped at 3, 2 %": MoneyWorld(5000, 0.02, *clicks(3)),
    "clicks capped at 10, 10 %": MoneyWorld(1200, 0.1, *clicks(10)),
}


@dataclass(frozen=True, eq=False)
class MoneyFound:
    """What was found in R logs of a world, by estimator in the order of `ESTIMATORS`.

    | field | shape | meaning |
    |---|---|---|
    | holds | [R, 3] | whether the interval holds the truth |
    | width | [R, 3] | of the interval, as a share of the truth |
    | trusted | [R, 3] | whether the log may be believed with this estimator leading |
    | doubts_contributions | [R, 3] | whether it may not because of its contributions |
    | labelled | [R, 3] | whether the interval says that it under-covers |
    """

    holds: NDArray[np.bool_]
    width: Floats
    trusted: NDArray[np.bool_]
    doubts_contributions: NDArray[np.bool_]
    labelled: NDArray[np.bool_]

    def covered(self, estimator: str, *, among_trusted: bool = False) -> float:
        """Share of logs whose interval holds the truth; NaN where there are none."""
        e = ESTIMATORS.index(estimator)
        held = self.holds[self.trusted[:, e], e] if among_trusted else self.holds[:, e]
        return float(held.mean()) if len(held) else float("nan")


def found_in(
    logs: Callable[[int], EvaluationRounds],
    truth: float,
    replicates: int,
    first_seed: int,
    *,
    interval: IntervalName = "bca",
    n_resamples: int = 1000,
) -> MoneyFound:
    """Evaluate and assess logs of the seeds from the first one on."""
    rows: list[list[tuple[bool, float, bool, bool, bool]]] = []
    with patch.object(evaluation, "Resamples", SharedResamples):
        for seed in range(first_seed, first_seed + replicates):
            evaluated = evaluate(
                {"new": logs(seed)},
                [from_name(name) for name in ("ips", "snips", "dr")],
                n_resamples=n_resamples,
                cluster_name="users",
            )
            rows.append(
                [_found(evaluated, row, truth) for row in evaluated.policy_values(interval=interval)[:3]]
            )
    holds, width, trusted, doubts, labelled = np.moveaxis(np.array(rows, dtype=float), 2, 0)
    return MoneyFound(holds > 0, width, trusted > 0, doubts > 0, labelled > 0)


def _found(evaluated: Evaluation, row: PolicyValue, truth: float) -> tuple[bool, float, bool, bool, bool]:
    gate = GateSettings(estimator=row.estimator)
    mean_weight = evaluated.mean_weight_interval("new", None, gate.mean_weight_confidence)
    trust = assess(evaluated.diagnostics_of("new"), mean_weight, gate)
    return (
        row.lower <= truth <= row.upper,
        (row.upper - row.lower) / truth,
        trust.trusted,
        any("of" in found.numbers for found in trust.reasons),
        any(found.code in COVERAGES for found in row.interval_findings),
    )
