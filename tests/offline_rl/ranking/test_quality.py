"""Rankers side by side: a world on paper, paired differences, and nothing seen of what came later."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

import dataframely as dy
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.contracts.recommendation import RecommendationQuality
from offline_rl.interactions import DAY, Bools, Interactions, Ints
from offline_rl.ranking.choice import choose, measured
from offline_rl.ranking.quality import LaterWindow, RankerQuality, compared, ranked
from offline_rl.ranking.ranker import Ranker, check_known
from offline_rl.ranking.time_windows import TimeWindows
from offline_rl.ranking.top_items import TopItems
from tests.offline_rl.ranking.worlds import clustered_shop, log, logs


@dataclass(frozen=True)
class Fixed:
    """A recipe that shows everybody the same items, whatever it knows."""

    name: str
    items: tuple[int, ...]

    def fit(self, known: Interactions, now: int) -> Ranker:
        check_known(known, now)
        return self

    def top(self, users: Ints, n: int, is_shown: Bools | None = None) -> TopItems:
        row = np.array([*self.items, *[-1] * n])[:n]
        return TopItems(np.tile(row, (len(users), 1)), np.tile(1.0 * (row >= 0), (len(users), 1)))


# Before day 2, users 0 and 1 act; from day 2 on, 0 buys item 0, 1 buys 0 and 1, and 2, who is new, buys 2.
SHOP = log((0, 2, 0), (1, 2, 1), (0, 0, 2), (1, 0, 2), (1, 1, 3), (2, 2, 3), n_items=4)
WINDOW = (2 * DAY, 4 * DAY)


def by_key(rows: Sequence[RankerQuality]) -> dict[tuple[str, str, int], RankerQuality]:
    return {(row.ranker, row.metric, row.cutoff): row for row in rows}


def test_a_shop_of_three_users_on_paper() -> None:
    window = LaterWindow.of(SHOP, *WINDOW)
    lists = ranked([Fixed("two", (2,)), Fixed("zero_one", (0, 1))], window, 2)

    rows = by_key(compared(lists, window, baseline="two", chosen="zero_one", cutoffs=(1, 2)))

    recall = rows["zero_one", "recall", 1]
    assert recall.value == pytest.approx((1 + 1 / 2 + 0) / 3)
    assert recall.difference == pytest.approx((1 + 1 / 2 - 1) / 3)
    assert recall.difference_lower < recall.difference < recall.difference_upper
    assert (recall.n_users, recall.n_cold_users, recall.is_chosen) == (3, 1, True)
    assert (recall.window_from, recall.window_until) == WINDOW
    assert rows["zero_one", "recall", 2].value == pytest.approx(2 / 3)
    assert rows["zero_one", "hit_rate", 1].value == pytest.approx(2 / 3)
    assert rows["zero_one", "coverage", 2].value == 0.5
    # Before the window item 2 alone had acts: it is the first by popularity, 0 the second and 1 the third.
    assert rows["two", "popularity_rank", 2].value == 1.0
    assert rows["zero_one", "popularity_rank", 2].value == 2.5
    assert rows["two", "recall", 1].difference is None
    assert not rows["two", "recall", 1].is_chosen
    assert rows["zero_one", "coverage", 1].lower is None


def test_the_table_keeps_to_its_contract() -> None:
    window = LaterWindow.of(SHOP, *WINDOW)
    lists = ranked([Fixed("none", ()), Fixed("all", (0, 1, 2))], window, 10)
    rows = compared(lists, window, baseline="none")
    start = datetime(1970, 1, 1, tzinfo=UTC)
    moments = ("window_from", "window_until")

    table = pl.DataFrame(
        [
            {"run_id": "night"}
            | asdict(row)
            | {name: start + timedelta(microseconds=getattr(row, name)) for name in moments}
            for row in rows
        ],
        infer_schema_length=None,
    )

    assert RecommendationQuality.validate(table, cast=True).height == len(rows) == 14
    assert by_key(rows)["none", "popularity_rank", 10].value is None


@pytest.mark.parametrize(
    "change",
    [
        {"value": 0.9},
        {"difference": -0.5},
        {"n_cold_users": 200},
        {"window_until": datetime(2026, 1, 1, tzinfo=UTC)},
    ],
)
def test_a_row_that_contradicts_itself_is_refused(change: dict[str, object]) -> None:
    day = datetime(2026, 1, 1, tzinfo=UTC)
    row = {
        **{"run_id": "night", "domain": "recommendation", "ranker": "a", "metric": "ndcg", "cutoff": 10},
        **{"value": 0.2, "lower": 0.1, "upper": 0.3, "difference": 0.1, "difference_lower": 0.0},
        **{"difference_upper": 0.2, "n_users": 100, "n_cold_users": 3, "window_from": day},
        **{"window_until": day + timedelta(days=7), "is_chosen": True},
    }

    assert RecommendationQuality.validate(pl.DataFrame([row]), cast=True).height == 1
    with pytest.raises(dy.exc.ValidationError):
        RecommendationQuality.validate(pl.DataFrame([row | change]), cast=True)


def test_a_ranker_is_chosen_on_validation_and_what_lost_stays_in_the_table() -> None:
    # Everybody buys item 0 on days 2 to 4, and item 1 afterwards.
    acts = log(*((user, int(day >= 4), day) for user in range(30) for day in range(6)), n_items=3)
    recipes = [Fixed("first", (0,)), Fixed("later", (1,)), Fixed("same", (0,))]
    windows = TimeWindows(2 * DAY, 4 * DAY, 6 * DAY)

    choice = choose(recipes, acts, windows, baseline="later", fewest_users=30)
    tested = by_key(measured(recipes, acts, windows, baseline="later", chosen=choice.chosen))

    assert choice.chosen == "first"
    assert {row.ranker for row in choice.rows} == {"first", "later", "same"}
    assert {row.ranker for row in choice.rows if row.is_chosen} == {"first"}
    assert by_key(choice.rows)["first", "ndcg", 10].value == 1.0
    # The test window says that it was the wrong choice: it chose nothing.
    assert tested["first", "ndcg", 10].value == 0.0
    assert tested["first", "ndcg", 10].difference_upper < 0
    assert tested["first", "ndcg", 10].is_chosen


def test_too_few_users_choose_nothing_and_the_first_recipe_stands() -> None:
    recipes = [Fixed("first", (0,)), Fixed("later", (1,))]

    choice = choose(recipes, SHOP, TimeWindows(2 * DAY, 3 * DAY, 4 * DAY), baseline="first")

    assert (choice.chosen, choice.rows) == ("first", ())
    assert choice.why_not is not None and choice.why_not.code == "no_validation_window"


@given(logs(), st.integers(0, 5), st.data())
def test_acts_after_a_window_change_none_of_its_rows(
    acts: Interactions, item: int, data: st.DataObject
) -> None:
    start, end = 4 * DAY, 6 * DAY
    window = LaterWindow.of(acts, start, end)
    later = data.draw(st.lists(st.integers(6, 9), max_size=5))
    more = log(*((day % 5, item, day) for day in [9, *later]), n_users=5, n_items=6)
    changed = Interactions(
        **{
            name: np.concatenate([getattr(acts.between(None, end), name), getattr(more, name)])
            for name in ("user", "item", "weight", "moment", "is_purchase")
        },
        n_users=5,
        n_items=6,
    )

    again = LaterWindow.of(changed, start, end)

    assert again.users.tolist() == window.users.tolist()
    assert again.is_cold.tolist() == window.is_cold.tolist()
    assert (again.acts.item.tolist(), again.known.item.tolist()) == (
        window.acts.item.tolist(),
        window.known.item.tolist(),
    )


def test_a_recipe_is_given_nothing_of_its_window() -> None:
    window = LaterWindow.of(clustered_shop(), 20 * DAY, 30 * DAY)

    assert int(window.known.moment.max()) < 20 * DAY <= int(window.acts.moment.min())
    with pytest.raises(ValueError, match="can't be known at"):
        Fixed("a", ()).fit(window.acts, 20 * DAY)


def test_wrong_questions_are_refused() -> None:
    window = LaterWindow.of(SHOP, *WINDOW)
    one = Fixed("a", (0,))

    with pytest.raises(ValueError, match="two rankers of one name among a, a"):
        ranked([one, one], window, 1)
    with pytest.raises(ValueError, match="b is not among a"):
        compared(ranked([one], window, 10), window, baseline="b")
    with pytest.raises(ValueError, match="nobody bought in this window"):
        nobody = LaterWindow.of(SHOP, 8 * DAY, 9 * DAY)
        compared(ranked([one], nobody, 10), nobody, baseline="a")
