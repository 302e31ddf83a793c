"""Each estimator is exact under its own assumption about users, and wrong where users break it.

Enumerating every slate gives expectations without sampling noise: sums weighted by the logging policy are the
sums of an endless log.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch

from offline_rl.ope.slates.cascade_doubly_robust import CascadeDoublyRobust
from offline_rl.ope.slates.named_estimators import ESTIMATORS
from offline_rl.policies.plackett_luce import slate_log_probability
from offline_rl.policies.slot_marginals import slot_marginals
from tests.offline_rl.ope.slates.slate_worlds import (
    EVALUATED,
    LOGGING,
    SLATES,
    every_slate,
    log,
    mean_rewards,
    truth,
    value,
)

BEHAVIORS = ["independent", "cascade", "additive", "any"]
HOLDS = {
    "sips": {"independent", "cascade", "additive", "any"},
    "iips": {"independent"},
    "rips": {"independent", "cascade"},
    "cascade_dr": {"independent", "cascade"},
}


@pytest.mark.parametrize("behavior", BEHAVIORS)
@pytest.mark.parametrize("name", ESTIMATORS)
def test_exact_where_its_assumption_holds_and_only_there(name: str, behavior: str) -> None:
    rounds, probability = every_slate(behavior)
    estimator = ESTIMATORS[name]
    expected = float(estimator.value(probability @ estimator.terms(rounds)))
    error = abs(expected - truth(behavior))
    if behavior in HOLDS[name.removeprefix("sn")]:
        assert error < 1e-12
    else:
        assert error > 2e-3


def test_the_policies_differ() -> None:
    assert abs(truth("any") - truth("any", of=LOGGING)) > 0.02


@pytest.mark.parametrize("name", ESTIMATORS)
def test_weights_average_one_in_every_slot(name: str) -> None:
    rounds, probability = every_slate("any")
    weight = ESTIMATORS[name].seen(rounds).weight
    for slot in (0, 1):
        rows = rounds.slot == slot
        assert np.isclose(probability[rows] @ weight[rows], 1.0, rtol=1e-12)


@pytest.mark.parametrize("self_normalized", [False, True])
def test_an_exact_model_leaves_no_variance(self_normalized: bool) -> None:
    estimator = CascadeDoublyRobust(self_normalized)
    rounds, _ = every_slate("cascade", exact=mean_rewards("cascade"))
    for kind in (0, 1):
        worth = (EVALUATED.joint[kind, :, :, None] * mean_rewards("cascade")[kind]).sum()
        for slate in np.unique(rounds.slate[rounds.segment == kind]):
            assert value(estimator, rounds.select(rounds.slate == slate)) == pytest.approx(worth, rel=1e-12)


def test_cascade_dr_of_a_silent_model_is_reward_interaction_ips() -> None:
    rounds = log(200, seed=0)
    silent = replace(rounds, q_logged=np.zeros(rounds.n), q_policy=np.zeros(rounds.n))
    for prefix in ("", "sn"):
        assert np.isclose(
            value(ESTIMATORS[f"{prefix}cascade_dr"], silent),
            value(ESTIMATORS[f"{prefix}rips"], silent),
            rtol=1e-12,
        )


@pytest.mark.parametrize("name", ["sips", "rips", "iips", "cascade_dr"])
def test_sampled_logs_scatter_around_the_truth(name: str) -> None:
    values = np.array([value(ESTIMATORS[name], log(500, seed, "independent")) for seed in range(100)])
    standard_error = values.std(ddof=1) / np.sqrt(len(values))
    assert abs(values.mean() - truth("independent")) < 3.5 * standard_error
    assert abs(truth("independent") - truth("independent", of=LOGGING)) > 2 * standard_error


def test_stronger_assumptions_buy_precision() -> None:
    rounds, probability = every_slate("independent")
    squares = {}
    for name in ("sips", "rips", "iips"):
        squares[name] = float(probability @ np.square(ESTIMATORS[name].seen(rounds).weight))
    assert squares["sips"] > squares["rips"] > squares["iips"] > 1


def test_the_shop_logs_what_these_estimators_need() -> None:
    # Plackett-Luce slates: slot by slot the item's own strength among those not yet placed.
    strength = torch.tensor([[0.5, 0.3, 0.2], [0.2, 0.2, 0.6]], dtype=torch.float64).expand(6, 2, 3)
    items = torch.from_numpy(SLATES)
    logits = strength.log()
    cascade = torch.stack(
        [slate_log_probability(logits[:, : slot + 1], items[:, : slot + 1]).exp() for slot in (0, 1)], dim=1
    )
    position = slot_marginals(logits).gather(2, items[:, :, None])[:, :, 0]
    a, b = SLATES.T
    first, second = strength[0].numpy()
    paper = first[a] * second[b] / (1 - second[a])
    assert np.allclose(cascade[:, 0], first[a]) and np.allclose(cascade[:, 1], paper)
    assert np.allclose(position[:, 0], first[a])
    assert np.allclose(position[:, 1], [paper[b == item].sum() for item in b])
