import numpy as np
import pytest

from offline_rl.experiments.readout import ArmSums, Readout
from offline_rl.experiments.stop_rule import outcome

ARM = ArmSums(np.ones(60, np.int64), np.tile([0.0, 1.0], 30))
NAN = float("nan")


def decided(lower: float, upper: float, day: int, arm: ArmSums = ARM, chance: float | None = 0.5):
    readout = Readout(ARM, arm, lower, upper, 0.95)
    return outcome("maml-2026-01-05-0a1b2c3d", readout, chance=chance, day=day, max_days=28, min_users=50)


@pytest.mark.parametrize(
    ("lower", "upper", "day", "status", "code"),
    [
        (0.01, 0.2, 1, "promoted", "experiment_won"),
        (0.01, 0.2, 28, "promoted", "experiment_won"),
        (-0.2, -0.01, 3, "rejected", "experiment_lost"),
        (-0.1, 0.1, 27, "running", "experiment_goes_on"),
        (0.0, 0.1, 27, "running", "experiment_goes_on"),
        (-0.1, 0.1, 28, "ended", "experiment_over"),
        (NAN, NAN, 28, "ended", "experiment_over_too_early"),
        (NAN, NAN, 2, "running", "experiment_of_one_user"),
    ],
)
def test_the_interval_and_the_days_decide(lower, upper, day, status, code) -> None:
    found = decided(lower, upper, day)
    assert (found.status, found.found.code) == (status, code)


@pytest.mark.parametrize(
    ("lower", "upper", "chance", "code"),
    [
        (-0.1, 0.1, 0.019, "experiment_given_up"),
        (-0.1, 0.1, 0.02, "experiment_goes_on"),
        (0.01, 0.1, 0.0, "experiment_won"),
        (-0.2, -0.01, 0.0, "experiment_lost"),
        (NAN, NAN, None, "experiment_of_one_user"),
    ],
)
def test_what_has_hardly_a_chance_is_given_up(lower, upper, chance, code) -> None:
    assert decided(lower, upper, 5, chance=chance).found.code == code


def test_what_is_missing_is_named() -> None:
    few = ArmSums(np.ones(3, np.int64), np.zeros(3))
    found = decided(NAN, NAN, 2, few).found
    assert found.code == "experiment_too_early"
    [cause] = found.because
    assert (cause.code, cause.number("n_clusters"), cause.number("least")) == ("few_clusters", 3, 50)
