"""Two slates of two slots, worked on paper."""

from dataclasses import replace

import numpy as np
import pytest

from offline_rl.ope.slates.named_estimators import ESTIMATORS, from_name
from offline_rl.ope.slates.records import Propensities, SlateRounds
from tests.offline_rl.ope.slates.slate_worlds import log, value


def against_a_half(weight: list[float]) -> Propensities:
    return Propensities(propensity=np.full(4, 0.5), evaluation_prob=np.array(weight) / 2)


# The first slate earns 1 in both slots, the second only in its lower one.
ROUNDS = SlateRounds(
    slate=np.array([8, 8, 3, 3]),
    slot=np.array([0, 1, 0, 1]),
    n_slots=2,
    reward=np.array([1.0, 1.0, 0.0, 1.0]),
    cluster=np.zeros(4, dtype=np.int64),
    segment=np.zeros(4, dtype=np.int64),
    whole=against_a_half([2.0, 2.0, 0.5, 0.5]),
    position=against_a_half([1.5, 1.0, 0.5, 0.25]),
    cascade=against_a_half([2.0, 1.0, 0.5, 0.5]),
    q_logged=np.array([1.0, 0.5, 1.0, 1.0]),
    q_policy=np.array([2.0, 0.5, 0.0, 1.0]),
)


@pytest.mark.parametrize(
    ("name", "worth"),
    [
        ("sips", (2 + 2 + 0 + 0.5) / 2),
        ("snsips", (2 + 2 + 0 + 0.5) / 2.5),
        ("iips", (1.5 + 1 + 0 + 0.25) / 2),
        ("sniips", 1.5 / 2 + 1.25 / 1.25),
        ("rips", (2 + 1 + 0 + 0.5) / 2),
        ("snrips", 2 / 2.5 + 1.5 / 1.5),
        # w (r - Q): 0, 0.5, -0.5, 0. w above times E Q: 2, 2 × 0.5, 0, 0.5 × 1.
        ("cascade_dr", (0 + 0.5 - 0.5 + 0 + 2 + 1 + 0 + 0.5) / 2),
        ("sncascade_dr", -0.5 / 2.5 + 2 / 2 + 0.5 / 1.5 + 1.5 / 2.5),
    ],
)
def test_on_paper(name: str, worth: float) -> None:
    assert value(from_name(name), ROUNDS) == pytest.approx(worth, rel=1e-12)


def test_a_slate_may_end_early() -> None:
    # Without its lower slot the second slate leaves one lower slot of weight 1, in half of the slates.
    short = ROUNDS.select(np.array([0, 1, 2]))
    assert value(from_name("sniips"), short) == pytest.approx(1.5 / 2 + 0.5 * 1.0)
    assert value(from_name("iips"), short) == pytest.approx((1.5 + 1) / 2)


def test_a_slot_without_weight_identifies_nothing() -> None:
    gone = replace(ROUNDS, position=against_a_half([1.5, 0.0, 0.5, 0.0]))
    assert np.isnan(value(from_name("sniips"), gone))
    assert value(from_name("iips"), gone) == 0.75


def test_the_whole_is_the_cascade_at_the_last_slot() -> None:
    rounds = log(100, seed=0)
    without = replace(rounds, whole=None)
    assert value(from_name("snsips"), without) == value(from_name("snsips"), rounds)


@pytest.mark.parametrize("name", ["snsips", "sniips", "snrips"])
def test_self_normalization_as_open_bandit_pipeline_defines_it(name: str) -> None:
    # SNSIPS divides by the mean weight over rows, the other two by the mean weight of each position.
    rounds = log(300, seed=1)
    weight = ESTIMATORS[name].seen(rounds).weight
    mean = np.full(rounds.n, weight.mean())
    if name != "snsips":
        mean = np.array([weight[rounds.slot == slot].mean() for slot in rounds.slot])
    assert value(ESTIMATORS[name], rounds) == pytest.approx(
        (weight * rounds.reward / mean).sum() / 300, rel=1e-12
    )
