"""Recipes of one list share what they have in common, and nothing else."""

from dataclasses import replace

import numpy as np

from offline_rl.interactions import DAY
from offline_rl.item_to_item.ranker import ItemToItem
from offline_rl.item_to_item.recipes import grid
from offline_rl.item_to_item.settings import ItemToItemSettings
from offline_rl.item_to_item.shared_similarity import SharedSimilarity
from tests.offline_rl.ranking.worlds import clustered_shop

ACTS = clustered_shop()
SETTINGS = ItemToItemSettings()


def test_the_same_pairs_are_counted_once() -> None:
    shared = SharedSimilarity()
    one = shared.of(ACTS, 40 * DAY, SETTINGS)

    assert shared.of(ACTS, 40 * DAY, replace(SETTINGS, blend=1.0, repeats=0.0)) is one
    assert shared.of(ACTS, 40 * DAY, replace(SETTINGS, shrinkage=1.0)) is not one


def test_another_log_or_night_is_counted_anew() -> None:
    shared = SharedSimilarity()
    one = shared.of(ACTS, 40 * DAY, SETTINGS)

    later = shared.of(ACTS, 50 * DAY, SETTINGS)
    other = shared.of(ACTS.between(None, 20 * DAY), 50 * DAY, SETTINGS)

    assert len({id(found) for found in (one, later, other)}) == 3
    assert other.histories.acts.n < later.histories.acts.n


def test_sharing_changes_no_list() -> None:
    users = np.arange(ACTS.n_users)

    for recipe in grid():
        if isinstance(recipe, ItemToItem):
            alone = ItemToItem(recipe.settings).fit(ACTS, 40 * DAY).top(users, 10)
            assert recipe.fit(ACTS, 40 * DAY).top(users, 10).score.tobytes() == alone.score.tobytes()
