"""The regression with crosses beside its optimum on paper, and what it does with segments."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from offline_rl.meta.crosses_logit import PENALTY, CrossesLogit, fit_crosses, indicator_columns
from offline_rl.meta.learner import Learner
from offline_rl.meta.shared_fits import SharedFits
from tests.laws.by_hand import rounds_by_hand
from tests.laws.learners import (
    LAWFUL,
    LAWS,
    SPOILED,
    Arrays,
    chosen,
    load_world,
    log_rounds,
    make_world,
    opposite_world,
    what_is_learned_is_sound,
    with_amounts,
    without_rewards,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("worlds")


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_crosses_obey(law: Callable[[Learner, Path], None], folder: Path) -> None:
    law(CrossesLogit(), folder)


@pytest.mark.parametrize("spoil", SPOILED, ids=lambda spoil: spoil.__name__)
def test_crosses_are_sound_on_a_log(spoil: Callable[[Arrays], Arrays], folder: Path) -> None:
    what_is_learned_is_sound(CrossesLogit(), folder, spoil)


def test_two_items_in_one_segment_by_hand() -> None:
    """Rewards 3 and 1 of two items, 10 rounds each: by symmetry the level is 2, and item b = cross c.

    What is left of each reward is 1 - 2 b, and 10 (1 - 2 b) = 10 b, so b = 1/3.
    """
    rounds = rounds_by_hand([0] * 10 + [1] * 10, [3.0] * 10 + [1.0] * 10)
    model = fit_crosses(rounds.to("cpu", torch.float64), is_binary=False, reward_scale=1.0)
    assert model.level == pytest.approx(2.0, abs=1e-3)
    torch.testing.assert_close(model.item, torch.tensor([1 / 3, -1 / 3]).double(), atol=1e-3, rtol=0)
    torch.testing.assert_close(model.own, torch.tensor([[1 / 3, -1 / 3]]), atol=1e-3, rtol=0)


def test_the_coefficients_are_the_penalized_optimum() -> None:
    """Against a dense design written out column by column, minimized by another optimizer."""
    rng = np.random.default_rng(0)
    n, items, segments = 300, 4, 3
    action, segment, slot = (rng.integers(size, size=n) for size in (items, segments, 2))
    trait, z = rng.integers(2, size=n).astype(float), rng.standard_normal((items, 2))
    odds = -0.5 + trait + 0.5 * action * (segment - 1) + z[action, 0]
    reward = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(float)
    context = torch.from_numpy(np.stack([rng.standard_normal(n), trait], 1))
    rounds = rounds_by_hand(
        action.tolist(), reward.tolist(), segment=(5 * segment).tolist(), context=context, slot=slot.tolist(),
        item_features=torch.from_numpy(z), n_slots=2,
    )  # fmt: skip
    model = fit_crosses(rounds, is_binary=True, reward_scale=1.0)
    X = np.zeros((n, 1 + 1 + 2 + items + segments * items + segments * 2))
    X[:, 0], X[:, 1] = 1.0, trait
    rows = np.arange(n)
    X[rows, 2 + slot], X[rows, 4 + action], X[rows, 8 + segment * items + action] = 1.0, 1.0, 1.0
    for feature in range(2):
        X[rows, 20 + segment * 2 + feature] = z[action, feature]

    def cost(w: np.ndarray) -> float:
        score = X @ w
        return float(np.logaddexp(0, score).sum() - reward @ score + PENALTY / 2 * (w[1:] ** 2).sum())

    w = minimize(cost, np.zeros(X.shape[1]), method="BFGS", options={"gtol": 1e-4}).x
    assert model.traits.tolist() == [1]
    assert model.level == pytest.approx(w[0], abs=2e-3)
    np.testing.assert_allclose(np.concatenate([model.trait, model.slot, model.item]), w[1:8], atol=2e-3)
    own = w[8:20].reshape(segments, items) + w[20:].reshape(segments, 2) @ z.T
    np.testing.assert_allclose(model.own, own, atol=2e-3)
    assert model.segments.tolist() == [0, 5, 10]


def test_a_rare_item_is_at_its_optimum() -> None:
    """10 clicks in 20 rounds of item 1, 200 in 20,000 of item 0."""
    rounds = rounds_by_hand([0] * 20_000 + [1] * 20, [1.0] * 200 + [0.0] * 19_800 + [1.0] * 10 + [0.0] * 10)
    model = fit_crosses(rounds.to("cpu", torch.float64), is_binary=True, reward_scale=1.0)
    total = float(model.item[1] + model.own[0, 1])
    # Item and cross share t, so 10 clicks - 20 sigmoid(level + t) = 10 t / 2.
    assert total == pytest.approx((10 - 20 / (1 + math.exp(-model.level - total))) / 5, abs=0.01)
    assert total > 1.0


def test_indicators_are_told_by_block() -> None:
    """Columns 0 and 1 mark a trait, 2 counts, 3 is 0 or 1 beside a number of the same block."""
    context = torch.tensor([[1.0, 0.0, 2.0, 1.0, 0.5], [0.0, 1.0, 0.0, 0.0, 1.5]])
    rounds = rounds_by_hand([0, 0], [1.0, 0.0], context=context)
    assert indicator_columns(rounds).tolist() == [0, 1, 3]
    blocks = torch.tensor([0, 0, 1, 2, 2])
    assert indicator_columns(replace(rounds, context_block=blocks)).tolist() == [0, 1]


def test_an_unseen_segment_is_refused_and_served_without_crosses(folder: Path) -> None:
    tasks = load_world(folder, log_rounds(opposite_world(), 200))
    policy = CrossesLogit().meta_train(SharedFits(tasks, LAWFUL, 0))
    unseen, seen = tasks.split("meta_test")[0], tasks.split("meta_train")[0]
    rounds, support = tasks.window("holdout"), tasks.window("support", [unseen])
    assert "isn't among those" in (policy.refusal(support) or "")
    assert torch.equal(chosen(policy.adapt(support), rounds), chosen(policy.zero_shot(), rounds))
    assert policy.refusal(tasks.window("support", [seen])) is None
    assert int(chosen(policy.adapt(tasks.window("support", [seen])), rounds)[0].argmax()) == seen % 2
    again = policy.fitted_again(tasks.window("training"), seed=0)
    assert policy.lead == again.lead
    for segment, adapted in again.adapt_each(tasks.window("training")).items():
        assert int(chosen(adapted, rounds)[0].argmax()) == segment % 2
        alone = again.adapt(tasks.window("training", [segment]))
        assert torch.equal(chosen(adapted, rounds), chosen(alone, rounds))


def test_one_segment_no_clicks_and_amounts(folder: Path) -> None:
    one = log_rounds(make_world(segments=1, items=4, click_rate=0.2), 100)
    for spoil in (dict, without_rewards, with_amounts):
        tasks = load_world(folder, spoil(one))
        policy = CrossesLogit().meta_train(SharedFits(tasks, LAWFUL, 0))
        assert policy.adapts == (spoil is not without_rewards)
        assert policy.is_binary == (spoil is not with_amounts)
        assert bool(torch.isfinite(chosen(policy.adapt(tasks.rounds), tasks.rounds)).all())
