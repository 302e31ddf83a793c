"""The ranker: its score on paper, what a night may not know, and a shop where it must beat popularity."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from offline_rl.interactions import DAY, Interactions
from offline_rl.item_to_item import ranker as module
from offline_rl.item_to_item.history import own_acts
from offline_rl.item_to_item.popularity import DecayedPopularity
from offline_rl.item_to_item.ranker import ItemToItem, ItemToItemRanker
from offline_rl.item_to_item.recipes import BASELINE, grid
from offline_rl.item_to_item.settings import ItemToItemSettings
from offline_rl.ranking.choice import choose, measured
from offline_rl.ranking.quality import LaterWindow
from offline_rl.ranking.time_windows import TimeWindows
from tests.offline_rl.ranking.worlds import clustered_shop, log, logs

NOW = 10 * DAY
PLAIN = ItemToItemSettings(
    popularity_half_life_days=1e9, history_half_life_days=1e9, shrinkage=0.0, blend=2.0, repeats=0.25
)
# Items 0 and 1 are each other's only neighbors, so are 2 and 3. User 3 has done nothing.
SHOP = log((0, 0, 0), (0, 1, 0), (1, 2, 0), (1, 3, 0), (2, 2, 0), (2, 3, 0), n_users=4)


def test_the_score_of_a_user_on_paper() -> None:
    top = ItemToItem(PLAIN).fit(SHOP, NOW).top(np.array([0, 3]), 4)

    # User 0 has items 0 and 1 once: both get 1/4 from themselves and 3/4 from each other, over 2 + 2 acts,
    # and 2 of these 4 acts are popularity's: 1/6 for items 0 and 1, 2/6 for 2 and 3.
    assert top.item[0].tolist() == [0, 1, 2, 3]
    assert top.score[0].tolist() == pytest.approx([0.25 + 0.5 / 6, 0.25 + 0.5 / 6, 1 / 6, 1 / 6])
    assert top.item[1].tolist() == [2, 3, 0, 1]
    assert top.score[1].tolist() == pytest.approx([2 / 6, 2 / 6, 1 / 6, 1 / 6])


def test_what_a_row_lacks_is_popularity_s() -> None:
    top = ItemToItem(replace(PLAIN, shrinkage=1e12)).fit(SHOP, NOW).top(np.array([0]), 4)

    # Nothing is believed of neighbors: 1/4 of each of the two acts speaks for its own item, the rest and
    # two acts more for popularity.
    assert dict(zip(top.item[0].tolist(), top.score[0].tolist(), strict=True)) == pytest.approx(
        {0: (0.25 + 3.5 / 6) / 4, 1: (0.25 + 3.5 / 6) / 4, 2: 3.5 * 2 / 6 / 4, 3: 3.5 * 2 / 6 / 4}
    )


@given(logs())
def test_scores_of_all_items_add_up_to_one(acts: Interactions) -> None:
    top = ItemToItem().fit(acts, NOW).top(np.arange(acts.n_users), acts.n_items)

    assert top.score.sum(axis=1) == pytest.approx(np.ones(acts.n_users))


@given(logs())
def test_a_user_without_history_has_the_list_of_popularity(acts: Interactions) -> None:
    wider = Interactions(acts.user, acts.item, acts.weight, acts.moment, acts.n_users + 1, acts.n_items)
    new = np.array([acts.n_users])

    lists = [
        recipe.fit(wider, NOW).top(new, 6).item.tolist() for recipe in (ItemToItem(), DecayedPopularity())
    ]

    assert lists[0] == lists[1]


@given(logs())
def test_a_session_is_served_as_a_user_with_the_same_acts(acts: Interactions) -> None:
    ranker = ItemToItem(replace(PLAIN, blend=1.0)).fit(acts, NOW)
    rows = acts.user == acts.user[0]

    of_session = ranker.top_of_session(acts.item[rows], acts.weight[rows], 6)
    of_user = ranker.top(acts.user[:1], 6)

    assert of_session.score == pytest.approx(of_user.score)


def test_a_session_of_no_items_has_the_list_of_everybody_and_unknown_items_are_refused() -> None:
    ranker = ItemToItem(PLAIN).fit(SHOP, NOW)

    assert ranker.top_of_session(np.zeros(0, dtype=int), np.zeros(0), 2).item.tolist() == [[2, 3]]
    assert ranker.top_of_session(np.array([1]), np.ones(1), 1).item.tolist() == [[0]]
    with pytest.raises(ValueError, match=r"an item outside 0\.\.3"):
        ranker.top_of_session(np.array([4]), np.ones(1), 2)


def test_items_that_were_bought_can_be_left_out_and_viewed_ones_stay() -> None:
    viewed = Interactions(
        SHOP.user, SHOP.item, SHOP.weight, SHOP.moment, 4, 4, np.array([True, False, True, True, True, True])
    )

    ranker = ItemToItem(replace(PLAIN, leaves_out_bought=True)).fit(viewed, NOW)

    assert ranker.top(np.array([0, 1]), 3).item.tolist() == [[1, 2, 3], [0, 1, -1]]


def test_what_can_not_be_shown_is_not() -> None:
    ranker = ItemToItem(PLAIN).fit(SHOP, NOW)

    assert ranker.top(np.array([0]), 3, np.array([False, True, True, False])).item.tolist() == [[1, 2, -1]]


def test_the_last_act_dates_a_history_and_not_the_night() -> None:
    acts = log((0, 0, 0), (0, 1, 4))

    assert own_acts(acts, 2.0).toarray()[0].tolist() == pytest.approx([np.log2(1.25), 1.0])


def test_blocks_of_users_change_nothing(monkeypatch) -> None:
    acts = clustered_shop()
    ranker = ItemToItem(ItemToItemSettings(leaves_out_bought=True)).fit(acts, 40 * DAY)
    users = np.array([5, 3, 3, 99, 0])
    whole = ranker.top(users, 8)
    blocks = []
    one_block = ItemToItemRanker._top
    monkeypatch.setattr(module, "CELLS_AT_ONCE", 1)
    monkeypatch.setattr(ItemToItemRanker, "_top", lambda *given: blocks.append(1) or one_block(*given))

    in_blocks = ranker.top(users, 8)

    assert len(blocks) == 5
    assert in_blocks.item.tolist() == whole.item.tolist()
    assert in_blocks.score.tobytes() == whole.score.tobytes()


@settings(max_examples=15)
@given(logs(), logs())
def test_what_comes_later_changes_no_list(acts: Interactions, later: Interactions) -> None:
    now = 5 * DAY
    known = acts.between(None, now)
    parts = known, later.between(now, None)
    both = Interactions(
        **{
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in ("user", "item", "weight", "moment", "is_purchase")
        },
        n_users=5,
        n_items=6,
    )

    windows = [LaterWindow.of(log_, now, 10 * DAY) for log_ in (acts, both)]
    for recipe in grid():
        one, other = (recipe.fit(window.known, window.start).top(np.arange(5), 6) for window in windows)
        assert one.item.tobytes() == other.item.tobytes(), recipe.name
        assert one.score.tobytes() == other.score.tobytes(), recipe.name
        if len(parts[1].user):
            with pytest.raises(ValueError, match="can't be known at"):
                recipe.fit(both, now)


def test_users_with_tastes_of_their_own_are_served_better_than_by_popularity() -> None:
    acts = clustered_shop()
    windows = TimeWindows(20 * DAY, 30 * DAY, 40 * DAY)

    choice = choose(grid(), acts, windows, baseline=BASELINE.name)
    [chosen] = [recipe for recipe in grid() if recipe.name == choice.chosen]
    rows = measured([BASELINE, chosen], acts, windows, baseline=BASELINE.name, chosen=chosen.name)

    assert {row.ranker for row in choice.rows} == {recipe.name for recipe in grid()}
    [ndcg] = [row for row in rows if (row.ranker, row.metric) == (chosen.name, "ndcg")]
    assert ndcg.difference_lower is not None and ndcg.difference_lower > 0.1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"blend": 0.0}, "blend is 0: give a number above 0"),
        ({"pair_half_life_days": -1.0}, "pair_half_life_days is -1"),
        ({"history_cap": 0}, "history_cap is 0: give at least 1"),
        ({"neighbors": 0}, "neighbors is 0"),
        ({"shrinkage": -1.0}, "shrinkage is -1"),
        ({"repeats": 1.5}, "repeats is 1.5: give a share from 0 to 1"),
        ({"normalization": "jaccard"}, "normalization is 'jaccard': give one of cosine, conditional"),
    ],
)
def test_settings_outside_their_range_are_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ItemToItemSettings(**change)  # type: ignore[arg-type]


@given(logs())
def test_the_unit_of_weights_changes_no_list(acts: Interactions) -> None:
    times_four = Interactions(
        acts.user, acts.item, 4.0 * acts.weight, acts.moment, acts.n_users, acts.n_items, acts.purchases
    )

    one, other = (ItemToItem().fit(log_, NOW).top(np.arange(5), 6) for log_ in (acts, times_four))

    assert one.item.tolist() == other.item.tolist()
    assert one.score.tobytes() == other.score.tobytes(), "powers of two divide without rounding"
