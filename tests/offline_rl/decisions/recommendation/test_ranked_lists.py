"""Lists where nothing that was shown is logged: their propensities are those of the draw."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations

import numpy as np
import polars as pl
import pytest

from features.contracts.findings import codes_of
from offline_rl.decisions.recommendation.ranked_lists import Lists, list_of_everybody, ranked_lists
from offline_rl.decisions.recommendation.shop_acts import ShopActs

AS_OF = date(2026, 1, 10)
ITEMS = ("a", "b", "c", "d")


def acts_of(users: int, *, known: bool = True) -> pl.DataFrame:
    """Everybody has bought a four times, b three times, c twice and d once, an hour apart."""
    rows = [
        {
            "visitor": f"{user:05}",
            "user_key": f"{user:05}" if known else None,
            "item_id": item,
            "acted_at": datetime(2026, 1, 5, tzinfo=UTC) + timedelta(hours=hour),
            "act": "purchase",
        }
        for user in range(users)
        for hour, item in enumerate("aaaabbbccd")
    ]
    return pl.DataFrame(rows, schema_overrides={"user_key": pl.String})


def lists(epsilon: float, seed: int = 0) -> Lists:
    return Lists("popularity", epsilon, {"a": "Apple"}, codes_of, "run", AS_OF, seed, places=10, pool=50)


def test_the_ranker_s_list_is_shown_unless_a_user_explores():
    rows = ranked_lists(ShopActs.of(acts_of(2)), lists(0.0))
    assert rows.select("user_key", "slot_rank", "item_id").rows() == [
        (user, place, item) for user in ("00000", "00001") for place, item in enumerate(ITEMS, start=1)
    ]
    assert set(rows["propensity"]) == {1.0}
    assert set(rows["slate_log_probability"]) == {0.0}
    assert rows["item_name"].to_list()[:2] == ["Apple", None]
    assert set(rows["evidence_level"]) == {"unproven"}
    assert rows["score_lower"].null_count() == rows.height


def test_propensities_are_the_frequencies_of_the_draw():
    n = 4000
    rows = ranked_lists(ShopActs.of(acts_of(n)), lists(0.4))
    seen = rows.group_by("slot_rank", "item_id").agg(
        share=pl.len() / n, propensity=pl.col("propensity").first(), kinds=pl.col("propensity").n_unique()
    )
    assert seen.height == 16
    assert set(seen["kinds"]) == {1}
    error = (seen["propensity"] * (1 - seen["propensity"]) / n).sqrt()
    assert ((seen["share"] - seen["propensity"]).abs() / error).max() < 4
    by_hand = {True: 0.6 + 0.4 / 4, False: 0.4 / 4}
    ranked = {item: place for place, item in enumerate(ITEMS, start=1)}
    for place, item, propensity in rows.select("slot_rank", "item_id", "propensity").unique().iter_rows():
        assert propensity == pytest.approx(by_hand[ranked[item] == place])


def test_the_probabilities_of_all_lists_add_up_to_one():
    rows = ranked_lists(ShopActs.of(acts_of(2000)), lists(0.9))
    of_list = rows.group_by("user_key", maintain_order=True).agg(
        pl.col("item_id").str.join(""), pl.col("slate_log_probability").first()
    )
    found = dict(of_list.select("item_id", "slate_log_probability").iter_rows())
    assert set(found) == {"".join(items) for items in permutations(ITEMS)}
    assert sum(np.exp(list(found.values()))) == pytest.approx(1.0)
    assert np.exp(found["abcd"]) == pytest.approx(0.1 + 0.9 / 24)


def test_the_draw_of_a_user_is_their_own():
    many, few = (ranked_lists(ShopActs.of(acts_of(n)), lists(0.5)) for n in (300, 3))
    same = many.filter(pl.col("user_key").is_in(few["user_key"].unique().implode()))
    columns = ["user_key", "slot_rank", "item_id", "propensity", "is_exploration"]
    assert same.select(columns).equals(few.select(columns))
    assert not ranked_lists(ShopActs.of(acts_of(300)), lists(0.5, seed=1)).equals(many)


def test_items_that_the_shop_no_longer_has_are_not_shown():
    rows = ranked_lists(ShopActs.of(acts_of(5), ["b", "d"]), lists(0.5))
    assert set(rows["item_id"]) == {"b", "d"}
    assert set(rows["slot_rank"]) == {1, 2}


def test_where_nobody_is_known_every_visitor_has_the_list_of_all():
    acts = ShopActs.of(acts_of(3, known=False))
    assert len(acts.users) == 0
    rows = list_of_everybody(acts, lists(0.2))
    totals = rows.group_by("slot_rank").agg(pl.col("probability").sum())["probability"].to_list()
    assert totals == pytest.approx([1.0] * 4)
    first = rows.filter(slot_rank=1).sort("probability", descending=True)
    assert first.select("item_id", "probability").row(0) == ("a", pytest.approx(0.8 + 0.2 / 4))


def test_a_ranker_without_items_is_filled_up_with_popular_ones():
    late = replace(lists(0.0), ranker="best_sellers", as_of=AS_OF + timedelta(days=60))
    rows = ranked_lists(ShopActs.of(acts_of(2)), late)
    assert rows.filter(user_key="00000")["item_id"].to_list() == list(ITEMS)
    new = ranked_lists(ShopActs.of(acts_of(2)), replace(lists(0.0), ranker="item_to_item_new"))
    assert sorted(new.filter(user_key="00001")["item_id"]) == list(ITEMS)


def test_a_catalog_without_the_acted_items_leaves_no_list():
    users, visitors = (ShopActs.of(acts_of(2, known=known), ["z"]) for known in (True, False))
    assert ranked_lists(users, lists(0.1)).is_empty()
    assert list_of_everybody(visitors, lists(0.1)).is_empty()


def test_a_list_has_the_places_and_the_pool_that_a_shop_asks_for():
    two_of_three = replace(lists(0.3), places=2, pool=3)
    rows = ranked_lists(ShopActs.of(acts_of(400)), two_of_three)
    assert set(rows["slot_rank"]) == {1, 2}
    assert set(rows["item_id"]) == {"a", "b", "c"}
    [ranked] = set(rows.filter(slot_rank=1, item_id="a")["propensity"])
    assert ranked == pytest.approx(0.7 + 0.3 / 3)
    least = rows["slate_log_probability"].min()
    assert np.exp(least) == pytest.approx(0.3 / 6)
