"""Weights from a classifier: near the true ones, without a propensity, and blind to the round's own user."""

from typing import Any

import numpy as np
import pytest

from offline_rl.ope.models.density_ratio import density_ratio, draw_actions
from offline_rl.ope.records import Floats, Ints
from tests.offline_rl.ope.worlds import World

WORLD = World(logged_taste=1.5)


def visits(n: int, seed: int = 0) -> tuple[Ints, dict[str, Any]]:
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 3, n)
    action = (rng.random((n, 1)) > WORLD.logging[kind].cumsum(axis=1)[:, :-1]).sum(axis=1)
    return kind, {
        "context": np.eye(3)[kind],
        "action": action,
        "evaluation_probs": WORLD.evaluated[kind],
        "cluster": np.arange(n),
        "n_actions": 4,
    }


def true_weight(kind: Ints, action: Ints) -> Floats:
    return WORLD.evaluated[kind, action] / WORLD.logging[kind, action]


@pytest.mark.parametrize("calibration", ["sigmoid", "isotonic"])
@pytest.mark.parametrize("model", ["linear", "trees"])
def test_ratios_are_near_the_true_weights(model: Any, calibration: Any) -> None:
    kind, log = visits(4000)
    ratio = density_ratio(**log, model=model, calibration=calibration)
    true = true_weight(kind, log["action"])
    assert np.sqrt(np.mean((ratio - true) ** 2)) < 0.2 * true.std()
    assert ratio.mean() == pytest.approx(1.0, abs=0.05)


def test_the_balanced_value_is_near_the_truth() -> None:
    kind, log = visits(6000, seed=1)
    rng = np.random.default_rng(1)
    reward = rng.random(6000) < WORLD.reward_probability[kind, log["action"]]
    ratio = density_ratio(**log)
    assert (ratio @ reward) / ratio.sum() == pytest.approx(WORLD.truth, abs=0.03)


def test_the_same_policy_has_ratios_of_one() -> None:
    kind, log = visits(4000)
    ratio = density_ratio(**(log | {"evaluation_probs": WORLD.logging[kind]}))
    assert ratio == pytest.approx(np.ones(4000), abs=0.25)


def test_a_users_own_action_does_not_move_their_ratio() -> None:
    _, log = visits(600)
    log["cluster"] = np.arange(600) // 3
    hers = log["cluster"] == 11
    before = density_ratio(**log)
    # All three of hers become the action of her first; what is asked about that one is as before.
    first = int(np.argmax(hers))
    log["action"] = np.where(hers, log["action"][first], log["action"])
    assert density_ratio(**log)[first] == before[first]


def test_mass_that_the_policy_puts_nowhere_counts() -> None:
    kind, log = visits(4000)
    whole = density_ratio(**log)
    half = density_ratio(**(log | {"evaluation_probs": WORLD.evaluated[kind] / 2}))
    assert half.mean() == pytest.approx(whole.mean() / 2, rel=0.1)


def test_ratios_stay_finite_where_policies_never_meet() -> None:
    n = 200
    ratio = density_ratio(
        np.zeros((n, 1)),
        np.zeros(n, dtype=int),
        np.tile([0.0, 1.0], (n, 1)),
        np.arange(n),
        n_actions=2,
        calibration="isotonic",
    )
    assert ((ratio > 0) & (ratio < 0.02)).all()


def test_draws_follow_the_policy() -> None:
    probs = np.tile([0.2, 0.0, 0.5, 0.3], (20_000, 1))
    drawn = draw_actions(lambda rows: probs[rows], 20_000, 4, seed=0)
    shares = np.bincount(drawn.action, minlength=4) / 20_000
    assert shares == pytest.approx([0.2, 0.0, 0.5, 0.3], abs=4 * np.sqrt(0.25 / 20_000))
    assert shares[1] == 0
    assert drawn.mass == pytest.approx(np.ones(20_000))


def test_an_unknown_action_is_refused() -> None:
    _, log = visits(60)
    with pytest.raises(ValueError, match="but there are 2 actions"):
        density_ratio(**(log | {"n_actions": 2}))
