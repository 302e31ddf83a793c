"""Logs of spend levels whose policy values are known on paper."""

from collections.abc import Callable
from typing import Any

import numpy as np

from offline_rl.ope.continuous.records import SpendRounds
from offline_rl.ope.estimators.estimator import Estimator
from offline_rl.ope.records import EvaluationRounds, Floats


def value(estimator: Estimator, rounds: EvaluationRounds) -> float:
    return float(estimator.value(estimator.terms(rounds).sum(axis=0)))


def evenly_spread(
    mean: Callable[[Floats], Floats], spend: float, n: int = 20_000, **columns: Any
) -> SpendRounds:
    """Levels from 0 to 1, every one logged equally often and paid its mean: an expectation without noise.

    The evaluation policy always decides for `spend`. `columns` take the place of these.
    """
    level = (np.arange(n) + 0.5) / n
    return _rounds(level, mean(level), spend, columns)


def drawn(n: int, seed: int, mean: Callable[[Floats], Floats], spend: float, **columns: Any) -> SpendRounds:
    """n levels drawn evenly from 0 to 1, with noise of standard deviation 1/2 on the reward."""
    rng = np.random.default_rng(seed)
    level = rng.random(n)
    return _rounds(level, mean(level) + rng.normal(0, 0.5, n), spend, columns)


def _rounds(level: Floats, reward: Floats, spend: float, columns: dict[str, Any]) -> SpendRounds:
    n = len(level)
    rounds = {
        "reward": reward,
        "spend": level,
        "density": np.ones(n),
        "evaluation_spend": np.full(n, spend),
        "cluster": np.arange(n),
        "segment": np.zeros(n, dtype=np.int64),
        "lower": 0.0,
        "upper": 1.0,
    }
    return SpendRounds(**(rounds | columns))
