"""Curves on paper: two items, one slot, and a policy that shows the better one the more it has seen."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor

from flows.stages.learner_tables import curve_table
from offline_rl.comparison.curves import (
    INNER_STEPS,
    SUPPORT_ROUNDS,
    AdaptationPoint,
    adaptation_curves,
)
from offline_rl.comparison.unseen import Holdout, UnseenSegment, each_unseen, unseen_segments
from offline_rl.logged_data import LoggedRounds
from offline_rl.meta.learner import Learner
from offline_rl.meta.meta_policy import MetaPolicy
from offline_rl.meta.named_learners import LEARNERS
from offline_rl.meta.shared_fits import SharedFits
from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluation import evaluate
from offline_rl.policies.frequency_policy import FrequencyPolicy
from offline_rl.serving import SegmentPolicies, evaluation_rounds, served_probabilities
from tests.laws.learners import LAWFUL, load_world, log_rounds, make_world

KEY = {"run_id": "r", "domain": "recommendation"}


@dataclass
class Counting:
    """After n rounds it shows item 1 with probability n / 400."""

    name: str = "counting"
    adapts: bool = True
    seen: list[list[int]] = field(default_factory=list)

    def zero_shot(self) -> FrequencyPolicy:
        return self.after(0)

    def adapt(self, support: LoggedRounds) -> FrequencyPolicy:
        self.seen.append([int(row) for row in support.cluster])
        return self.after(support.n)

    def after(self, rounds: int) -> FrequencyPolicy:
        share = rounds / 400
        return FrequencyPolicy(torch.tensor([[1 - share, share]], dtype=torch.float64))


def logged(n: int, segment: int) -> LoggedRounds:
    """Items 0 and 1 in turn, each with probability 1/2; item 1 is always clicked, item 0 never."""
    action = torch.arange(n) % 2
    return LoggedRounds(
        context=torch.zeros(n, 1),
        slot=torch.zeros(n, dtype=torch.int64),
        action=action,
        reward=action.double(),
        propensity=torch.full((n,), 0.5, dtype=torch.float64),
        set_index=torch.zeros(n, dtype=torch.int64),
        available=torch.ones(1, 2, dtype=torch.bool),
        segment=torch.full((n,), segment),
        cluster=torch.arange(n),
        item_features=torch.zeros(2, 1),
        n_slots=1,
    )


def unseen(segment: int, support: int, holdout: int, true_rewards: Tensor | None = None) -> UnseenSegment:
    q_hat = torch.zeros(holdout, 2, dtype=torch.float64)
    return UnseenSegment(segment, logged(support, segment), logged(holdout, segment), q_hat, true_rewards)


def curves(policy: Counting, *segments: UnseenSegment, exploration: float = 0.0) -> list[AdaptationPoint]:
    return adaptation_curves([cast("MetaPolicy", policy)], segments, exploration)


def test_the_value_grows_with_the_support() -> None:
    points = curves(Counting(), unseen(0, 400, 6))
    assert [point.amount for point in points] == [0, *SUPPORT_ROUNDS, None]
    assert [point.value for point in points] == pytest.approx([0.0, 0.0625, 0.125, 0.25, 0.5, 1.0])
    assert {point.curve for point in points} == {"support_rounds"}


def test_segments_count_alike_whatever_their_number_of_rounds() -> None:
    points = curves(Counting(), unseen(0, 400, 2), unseen(1, 100, 40))
    # all rounds: 1 in one segment and 1/4 in the other; 200 rounds: 1/2 and, with all it has, 1/4
    assert [point.value for point in points[-2:]] == pytest.approx([0.375, 0.625])


def test_every_draw_holds_the_smaller_ones() -> None:
    policy = Counting()
    curves(policy, unseen(0, 400, 2))
    for smaller, larger in zip(policy.seen, policy.seen[1:], strict=False):
        assert set(smaller) < set(larger)


def test_policies_explore_as_they_would_be_served() -> None:
    points = curves(Counting(), unseen(0, 400, 2), exploration=0.2)
    assert (points[0].value, points[-1].value) == pytest.approx((0.1, 0.9))


def test_the_truth_stands_beside_the_estimate_where_it_is_known() -> None:
    truth = torch.tensor([[0.0, 0.8], [0.0, 0.4]], dtype=torch.float64)
    points = curves(Counting(), unseen(0, 200, 2, truth))
    assert points[-1].true_value == pytest.approx(0.5 * 0.6)
    assert curves(Counting(), unseen(0, 200, 2))[-1].true_value is None


def test_who_does_not_adapt_has_no_curve_and_neither_has_anybody_without_a_segment() -> None:
    assert curves(Counting(adapts=False), unseen(0, 400, 2)) == []
    assert curves(Counting()) == []
    assert curve_table([], KEY).is_empty()


def test_all_rounds_are_a_null_in_the_table() -> None:
    table = curve_table(curves(Counting(), unseen(0, 400, 2)), KEY)
    assert table["amount"].to_list() == [0, *SUPPORT_ROUNDS, None]
    assert table["true_value"].null_count() == table.height


@pytest.mark.parametrize("name", ["per_segment", "fine_tuned"])
def test_the_night_evaluates_all_rounds_and_the_own_steps(name: str, tmp_path: Path) -> None:
    """The same numbers as the evaluation by segment, slates and exploration included."""
    tasks = load_world(tmp_path, log_rounds(make_world(click_rate=0.2), 200))
    learner: Learner = LEARNERS[name]
    policy: Any = learner.meta_train(SharedFits(tasks, LAWFUL, 0))
    if name == "fine_tuned":  # it adapts, whether that paid or not, and as far as its steps lead
        policy = replace(policy, inner_steps=3, inner_lr=0.5, rates={}, longest_move=None)
    rounds = tasks.window("holdout")
    q_hat = torch.from_numpy(np.random.default_rng(0).random((rounds.n, rounds.n_actions)))
    holdout = Holdout(rounds, q_hat, truth=None)
    served = served_probabilities(SegmentPolicies.adapted(policy, tasks.window("training"), 0.1), rounds)
    evaluated = evaluate({name: evaluation_rounds(rounds, served, q_hat)}, [from_name("dr")], n_resamples=10)
    segments = unseen_segments(tasks, holdout)
    assert len(segments) > 1
    expected = np.mean([evaluated.values[0, 0, evaluated.segments.index(g)] for g in segments])

    points = adaptation_curves([policy], each_unseen(tasks, holdout), 0.1)
    value = {(point.curve, point.amount): point.value for point in points}
    assert value["support_rounds", None] == pytest.approx(expected, rel=1e-9)
    assert value["support_rounds", 0] != pytest.approx(expected, rel=1e-6)
    steps = [amount for curve, amount in value if curve == "inner_steps"]
    assert steps == ([] if name == "per_segment" else list(INNER_STEPS))
    if name == "fine_tuned":
        assert value["inner_steps", 3] == pytest.approx(expected, rel=1e-9)
        assert value["inner_steps", 0] == value["support_rounds", 0]
