"""Logs drawn again are draws of the world that they say: its slates, its clicks, its lift."""

from dataclasses import replace

import numpy as np
import pytest

from features.simulator.plackett_luce import slot_marginals
from flows.settings import Settings
from offline_rl.registry import LOGGING
from tests.benchmarks.redrawn_logs import JudgedNight

VISITS, ITEMS, SLOTS = 3000, 4, 2


@pytest.fixture(scope="module")
def night() -> JudgedNight:
    """Two kinds of visits, one of which lacks the last item; a policy that shows the best item first."""
    weights = np.array([[0.4, 0.3, 0.2, 0.1], [0.5, 0.25, 0.25, 0.0]])[np.arange(VISITS) % 2]
    visit, slot = np.repeat(np.arange(VISITS), SLOTS), np.tile(np.arange(SLOTS), VISITS)
    marginals = np.stack([slot_marginals(weights[kind], SLOTS) for kind in (0, 1)])
    better = np.array([[0.1, 0.1, 0.8, 0.0], [0.6, 0.2, 0.2, 0.0]])
    return JudgedNight(
        policies={"better": better[slot]},
        wanted=["better"],
        cautious=None,
        truth=np.tile([0.1, 0.1, 0.3, 0.2], (len(visit), 1)) / (1 + slot[:, None]),
        logging=marginals[visit % 2, slot],
        q_hat=np.tile([0.1, 0.1, 0.2, 0.2], (len(visit), 1)),
        origin=np.arange(len(visit)) * 3 // len(visit),
        cluster=visit // 3,
        slot=slot,
        visit=visit,
        weights=weights,
        settings=Settings.model_construct(),
    )


def test_items_come_as_often_as_their_propensities_say(night: JudgedNight) -> None:
    inverse = [(1 / night.redraw(seed)[LOGGING].propensity).mean() for seed in range(20)]
    # Of each round Σ 1/p has as its mean the number of items that could be shown: 4 or 3.
    assert np.mean(inverse) == pytest.approx(3.5, abs=0.05)


def test_a_slate_shows_no_item_twice(night: JudgedNight) -> None:
    items_told_apart = replace(night, q_hat=np.tile(np.arange(4.0), (len(night.slot), 1)))
    shown = items_told_apart.redraw(0)[LOGGING].q_logged
    assert shown is not None
    assert (shown[::2] != shown[1::2]).all()
    assert not (shown.reshape(-1, 2)[1::2] == 3).any()


@pytest.mark.parametrize("lift", [0.0, 0.15, 0.3])
def test_a_lift_is_what_it_says(night: JudgedNight, lift: float) -> None:
    bent = night.at_lift(lift, "better")
    assert bent.lift("better") == pytest.approx(lift, abs=1e-9)
    base = (bent.logging * bent.truth).sum(axis=1).mean()
    leads = []
    for seed in range(60):
        seen = bent.redraw(seed)
        better = seen["better"]
        assert better.q_logged is not None and better.q_policy is not None
        corrected = better.q_policy + better.weight * (better.reward - better.q_logged)
        leads.append(corrected.mean() - seen[LOGGING].reward.mean())
    assert abs(np.mean(leads) - lift * base) < 4 * np.std(leads) / np.sqrt(len(leads))


def test_without_a_lift_no_round_has_one(night: JudgedNight) -> None:
    bent = night.at_lift(0.0, "better")
    earned = (bent.policies["better"] * bent.truth).sum(axis=1)
    assert earned == pytest.approx((bent.logging * bent.truth).sum(axis=1), abs=1e-12)


def test_a_policy_that_is_worse_has_no_lift_to_bend(night: JudgedNight) -> None:
    worse = replace(night, policies={"better": np.tile([1.0, 0, 0, 0], (len(night.slot), 1))})
    with pytest.raises(ValueError, match="take another seed"):
        worse.at_lift(0.3, "better")


def test_the_holdout_is_the_last_origin(night: JudgedNight) -> None:
    last = night.last_origin()
    assert set(last.origin) == {2}
    assert len(last.redraw(0)["better"].reward) == len(last.slot) == len(night.slot) // 3
