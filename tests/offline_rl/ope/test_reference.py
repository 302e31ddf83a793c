"""Agreement with Open Bandit Pipeline 0.5.7 on the same 1,000 rounds."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from offline_rl.ope.bootstrap import percentile_interval
from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.records import EvaluationRounds, Floats

HERE = Path(__file__).parent
EXPECTED = json.loads((HERE / "ope_small.json").read_text())
CASES = [
    *((name, "", expected) for name, expected in EXPECTED["values"].items()),
    *((expected["estimator"], expected["on"], expected) for expected in EXPECTED["values_on"]),
]
IDS = [f"{name} on {column}" if column else name for name, column, _ in CASES]


@pytest.fixture(scope="module")
def log() -> dict[str, np.ndarray]:
    with np.load(HERE / "ope_small.npz", allow_pickle=False) as arrays:
        return dict(arrays)


def rounds_of(log: dict[str, np.ndarray], column: str) -> EvaluationRounds:
    """The log with `column` in the place of its reward model or its propensities."""
    row, action, evaluated = np.arange(len(log["action"])), log["action"], log["action_dist"]
    q_hat = log[column if column.startswith("q_hat") else "q_hat"]
    return EvaluationRounds(
        reward=log["reward"],
        propensity=log[column if column.startswith("pscore") else "pscore"],
        evaluation_prob=evaluated[row, action],
        cluster=row,
        segment=np.zeros_like(row),
        q_logged=q_hat[row, action],
        q_policy=(evaluated * q_hat).sum(axis=1),
        q_logged_mrdr=log["q_hat_mrdr"][row, action],
        q_policy_mrdr=(evaluated * log["q_hat_mrdr"]).sum(axis=1),
        density_ratio=log["iw_est"],
    )


@pytest.fixture(scope="module")
def obp_counts() -> Floats:
    def drawn() -> Iterator[Floats]:
        rng = np.random.RandomState(12345)
        for _ in range(1000):
            yield np.bincount(rng.randint(0, 1000, 1000), minlength=1000)

    return np.array(list(drawn()), dtype=float)


def test_nothing_of_the_reference_is_left_out() -> None:
    assert len(CASES) == 31


@pytest.mark.parametrize(("name", "column", "expected"), CASES, ids=IDS)
def test_value(name: str, column: str, expected: dict[str, float], log: dict[str, np.ndarray]) -> None:
    estimator = from_name(name)
    value = estimator.value(estimator.terms(rounds_of(log, column)).sum(axis=0))
    assert value == pytest.approx(expected["value"], rel=1e-9)


@pytest.mark.parametrize(
    ("name", "column", "expected"),
    [case for case in CASES if "lower" in case[2]],
    ids=[name for name, case in zip(IDS, CASES, strict=True) if "lower" in case[2]],
)
def test_bootstrap_of_sums(
    name: str, column: str, expected: dict[str, float], log: dict[str, np.ndarray], obp_counts: Floats
) -> None:
    estimator = from_name(name)
    resampled = estimator.value(obp_counts @ estimator.terms(rounds_of(log, column)))
    interval = percentile_interval(expected["value"], resampled, 0.95)
    assert interval.lower == pytest.approx(expected["lower"], rel=1e-9)
    assert interval.upper == pytest.approx(expected["upper"], rel=1e-9)
