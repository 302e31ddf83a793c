"""Boosted trees beside scikit-learn's own scores, one tree on paper, and the learner's laws."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from offline_rl.meta import boosted_trees
from offline_rl.meta.boosted_trees import BoostedTrees, grown_trees, trees_of
from offline_rl.meta.boosting import Boosting, BoostingMetaPolicy
from offline_rl.meta.learner import Learner
from offline_rl.meta.shared_fits import SharedFits
from offline_rl.policies.scored_policy import ScoredPolicy
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
def test_boosting_obeys(law: Callable[[Learner, Path], None], folder: Path) -> None:
    law(Boosting(), folder)


@pytest.mark.parametrize("spoil", SPOILED, ids=lambda spoil: spoil.__name__)
def test_boosting_is_sound_on_a_log(spoil: Callable[[Arrays], Arrays], folder: Path) -> None:
    what_is_learned_is_sound(Boosting(), folder, spoil)


def table_of_numbers(n: int = 3000, missing: float = 0.0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rows [n, 5] and their log-odds, which bend and cross; some numbers of the rows are missing."""
    rng = np.random.default_rng(0)
    values = rng.standard_normal((n, 5)).round(1)
    odds = np.sin(2 * values[:, 0]) + values[:, 1] * values[:, 2] + (values[:, 3] > 0.5)
    values[rng.random(values.shape) < missing] = np.nan
    return values, odds


@pytest.mark.parametrize("missing", [0.0, 0.2])
@pytest.mark.parametrize("kind", [HistGradientBoostingClassifier, HistGradientBoostingRegressor])
def test_scores_are_scikit_learns(kind: type, missing: float) -> None:
    values, odds = table_of_numbers(missing=missing)
    model = kind(max_iter=30, max_leaf_nodes=15, random_state=0, early_stopping=False)
    is_binary = kind is HistGradientBoostingClassifier
    model.fit(values, odds > 0.5 if is_binary else odds)
    others, _ = table_of_numbers(500, missing=0.3)
    expected = model.decision_function(others) if is_binary else model.predict(others)
    found = trees_of(model).predict(torch.from_numpy(others))
    np.testing.assert_allclose(found, expected, atol=1e-6, rtol=0)


def test_pairs_are_scored_as_if_written_out_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    values, odds = table_of_numbers()
    trees = grown_trees(torch.from_numpy(values), torch.from_numpy(odds), is_binary=False, seed=0)
    rows, items = torch.from_numpy(values[:50]), torch.from_numpy(values[100:107])
    is_item = torch.tensor([False, True, False, True, True])
    written = torch.where(is_item, items[None], rows[:, None])
    expected = trees.predict(written.reshape(-1, 5)).reshape(50, 7)
    for cells in (1, 1 << 22):
        monkeypatch.setattr(boosted_trees, "_CELLS", cells)
        found = trees.pair_scores(rows, is_item, trees.item_table(items, is_item))
        torch.testing.assert_close(found, expected)


def test_one_tree_by_hand() -> None:
    """Column 0 up to 2: 1. Above, column 1 up to 0 or missing: 10, else 100. A baseline of 0.5."""
    trees = BoostedTrees(
        baseline=0.5,
        roots=torch.tensor([0]),
        feature=torch.tensor([0, 0, 1, 0, 0]),
        threshold=torch.tensor([2.0, 0.0, 0.0, 0.0, 0.0]).double(),
        missing_left=torch.tensor([False, False, True, False, False]),
        left=torch.tensor([1, 0, 3, 0, 0]),
        right=torch.tensor([2, 0, 4, 0, 0]),
        is_leaf=torch.tensor([False, True, False, True, True]),
        value=torch.tensor([0.0, 1.0, 0.0, 10.0, 100.0]).double(),
    )
    nan = math.nan
    rows = torch.tensor([[2.0, 5.0], [3.0, 0.0], [3.0, 1.0], [3.0, nan], [nan, 1.0]]).double()
    assert trees.predict(rows).tolist() == [1.5, 10.5, 100.5, 10.5, 100.5]
    only_first = trees.open_leaves(rows, torch.tensor([True, False]))
    assert only_first.tolist() == [[True, False, False], *[[False, True, True]] * 4]
    assert trees.split_on(1)
    assert not trees.split_on(2)


def test_rewards_that_are_all_alike_grow_nothing() -> None:
    """No click in 9 rounds: log-odds of 0.5 against 9.5."""
    trees = grown_trees(torch.zeros(9, 2), torch.zeros(9), is_binary=True, seed=0)
    assert trees.predict(torch.ones(2, 2)).tolist() == pytest.approx([math.log(0.5 / 9.5)] * 2)


def test_the_policy_scores_as_scikit_learn_would(folder: Path) -> None:
    """Grown again from the columns written out: context, slot, segment's place, item's place and features."""
    world = make_world(segments=6, items=5, features=2, contexts=3, click_rate=0.3, heterogeneity=1.0)
    rounds = load_world(folder, log_rounds(world, 400)).window("training")
    policy = fitted(folder).fitted_again(rounds, seed=0)
    assert policy.adapts
    items = policy.model.items
    rate = [float(rounds.reward[rounds.action == item].mean()) for item in range(5)]
    assert items[:, 0].argsort().tolist() == np.argsort(rate).tolist()
    by_segment = [float(rounds.reward[rounds.segment == segment].mean()) for segment in range(6)]
    assert policy.model.rank.argsort().tolist() == np.argsort(by_segment).tolist()
    torch.testing.assert_close(items[:, 1:], rounds.item_features.double())

    def written(segment: torch.Tensor, action: torch.Tensor) -> NDArray[np.float64]:
        beside = torch.stack([rounds.slot.double(), segment], 1)
        return torch.cat([rounds.context.double(), beside, items[action]], 1).numpy()

    model = HistGradientBoostingClassifier(
        max_iter=100, learning_rate=0.05, max_leaf_nodes=15, min_samples_leaf=100, early_stopping=False,
        random_state=0,
    )  # fmt: skip
    model.fit(written(policy.model.rank[rounds.segment], rounds.action), rounds.reward.numpy())
    unknown = torch.full((rounds.n,), math.nan).double()
    third = policy.model.rank[3].expand(rounds.n)
    support = rounds.select(rounds.segment == 3)
    for served, rank in ((policy.zero_shot(), unknown), (policy.adapt(support), third)):
        scores = served.score(rounds.context, rounds.slot, rounds.item_features)
        for item in range(5):
            expected = model.decision_function(written(rank, torch.full((rounds.n,), item)))
            np.testing.assert_allclose(scores[:, item], expected, atol=1e-6, rtol=0)


def fitted(folder: Path) -> BoostingMetaPolicy:
    return Boosting().meta_train(SharedFits(load_world(folder, log_rounds(opposite_world(), 400)), LAWFUL, 0))


def test_segments_with_opposite_tastes_are_told_apart(folder: Path) -> None:
    """An unseen segment is refused, and after another fit it is served its own item as all others are."""
    tasks = load_world(folder, log_rounds(opposite_world(), 400))
    policy = Boosting().meta_train(SharedFits(tasks, LAWFUL, 0))
    rounds, support = tasks.window("holdout"), tasks.window("support", [tasks.split("meta_test")[0]])
    assert "isn't among those" in (policy.refusal(support) or "")
    assert torch.equal(chosen(policy.adapt(support), rounds), chosen(policy.zero_shot(), rounds))
    again = policy.fitted_again(tasks.window("training"), seed=0)
    together = again.adapt_each(tasks.window("training"))
    for segment, adapted in together.items():
        alone = again.adapt(tasks.window("training", [segment]))
        assert isinstance(adapted, ScoredPolicy)
        assert torch.equal(chosen(adapted, rounds), chosen(alone, rounds))
    right = [int(chosen(adapted, rounds).mean(0).argmax()) == s % 2 for s, adapted in together.items()]
    assert sum(right) > 9


def test_one_segment_no_clicks_and_amounts(folder: Path) -> None:
    one = log_rounds(make_world(segments=1, items=4, click_rate=0.2), 600)
    for spoil in (dict, without_rewards, with_amounts):
        tasks = load_world(folder, spoil(one))
        policy = Boosting().meta_train(SharedFits(tasks, LAWFUL, 0))
        assert not policy.adapts
        assert policy.is_binary == (spoil is not with_amounts)
        assert bool(torch.isfinite(chosen(policy.adapt(tasks.rounds), tasks.rounds)).all())
