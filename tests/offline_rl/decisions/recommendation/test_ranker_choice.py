"""Which ranker serves: the one that wins on days that did not choose it, and popularity where none does."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from offline_rl.decisions.recommendation.ranker_choice import choose_ranker, recipe_of
from offline_rl.decisions.recommendation.shop_acts import ShopActs
from offline_rl.item_to_item.recipes import BASELINE, grid

START = datetime(2026, 1, 1, tzinfo=UTC)


def purchases(n_users: int, days: int, taste: bool, seed: int = 0) -> pl.DataFrame:
    """Users buy three of 40 items a week: their own half of the shelf with taste, else popular ones."""
    draw = np.random.default_rng(seed)
    rows = []
    for user in range(n_users):
        for day in range(0, days, 7):
            at = START + timedelta(days=day + float(draw.uniform(0, 7)))
            shelf = 20 * (user % 2) if taste else 0
            for item in np.unique(draw.integers(20, size=3)) + shelf:
                rows.append((f"u{user}", f"u{user}", f"i{item:02}", at, "purchase"))
    return pl.DataFrame(rows, schema=["visitor", "user_key", "item_id", "acted_at", "act"], orient="row")


def test_a_ranking_by_taste_serves_where_tastes_differ():
    choice = choose_ranker(ShopActs.of(purchases(300, 56, taste=True)), "recommendation")
    assert choice.ranker.startswith(("item_to_item", "own_items"))
    assert choice.why == ()
    assert {row.ranker for row in choice.rows if row.is_chosen} == {choice.ranker}
    tested = max(row.window_from for row in choice.rows)
    assert {row.ranker for row in choice.rows if row.window_from == tested} == {
        "popularity",
        "best_sellers",
        choice.ranker,
    }


def test_popularity_serves_where_nothing_beats_it_on_later_days():
    choice = choose_ranker(ShopActs.of(purchases(300, 56, taste=False)), "recommendation")
    assert choice.ranker == BASELINE.name
    assert {row.ranker for row in choice.rows if row.is_chosen} == {BASELINE.name}


def test_a_log_that_is_too_short_is_served_by_popularity_with_the_reason():
    few = choose_ranker(ShopActs.of(purchases(20, 56, taste=True)), "recommendation")
    assert (few.ranker, few.rows) == (BASELINE.name, ())
    assert [found.code for found in few.why] == ["no_test_window"]
    one = purchases(300, 7, taste=True).with_columns(acted_at=pl.lit(START))
    at_once = choose_ranker(ShopActs.of(one), "recommendation")
    assert (at_once.ranker, [found.code for found in at_once.why]) == (BASELINE.name, ["one_moment"])


def test_recipes_are_found_by_their_names():
    assert [recipe_of(recipe.name).name for recipe in grid()] == [recipe.name for recipe in grid()]


def test_without_users_only_one_list_for_all_can_serve():
    nobody = purchases(300, 56, taste=True).with_columns(user_key=pl.lit(None, dtype=pl.String))
    choice = choose_ranker(ShopActs.of(nobody), "recommendation")
    assert {row.ranker for row in choice.rows} == {"popularity", "best_sellers"}
