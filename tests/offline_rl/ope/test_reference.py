"""Agreement with Open Bandit Pipeline 0.5.7 on the same 1,000 rounds."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from offline_rl.ope.bootstrap import percentile_interval
from offline_rl.ope.named_estimators import from_name
from offline_rl.ope.records import EvaluationRounds, Floats

HERE = Path(__file__).parent
EXPECTED = json.loads((HERE / "ope_small.json").read_text())["values"]


@pytest.fixture(scope="module")
def rounds() -> EvaluationRounds:
    with np.load(HERE / "ope_small.npz", allow_pickle=False) as log:
        row = np.arange(len(log["action"]))
        return EvaluationRounds(
            reward=log["reward"],
            propensity=log["pscore"],
            evaluation_prob=log["action_dist"][row, log["action"]],
            cluster=row,
            segment=np.zeros_like(row),
            q_logged=log["q_hat"][row, log["action"]],
            q_policy=(log["action_dist"] * log["q_hat"]).sum(axis=1),
        )


@pytest.fixture(scope="module")
def obp_counts() -> Floats:
    def drawn() -> Iterator[Floats]:
        rng = np.random.RandomState(12345)
        for _ in range(1000):
            yield np.bincount(rng.randint(0, 1000, 1000), minlength=1000)

    return np.array(list(drawn()), dtype=float)


@pytest.mark.parametrize("name", EXPECTED)
def test_value(name: str, rounds: EvaluationRounds) -> None:
    estimator = from_name(name)
    value = estimator.value(estimator.terms(rounds).sum(axis=0))
    assert value == pytest.approx(EXPECTED[name]["value"], rel=1e-9)


@pytest.mark.parametrize("name", [name for name in EXPECTED if "lower" in EXPECTED[name]])
def test_bootstrap_of_sums(name: str, rounds: EvaluationRounds, obp_counts: Floats) -> None:
    estimator = from_name(name)
    resampled = estimator.value(obp_counts @ estimator.terms(rounds))
    interval = percentile_interval(EXPECTED[name]["value"], resampled, 0.95)
    assert interval.lower == pytest.approx(EXPECTED[name]["lower"], rel=1e-9)
    assert interval.upper == pytest.approx(EXPECTED[name]["upper"], rel=1e-9)
