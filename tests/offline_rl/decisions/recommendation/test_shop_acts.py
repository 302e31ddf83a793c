"""The acts of a shop as numbers for rankers."""

from datetime import UTC, datetime

import polars as pl
import pytest

from offline_rl.decisions.recommendation.shop_acts import ShopActs


def acts_of(*kinds: str) -> pl.DataFrame:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [("u", "u", "shoe", at, kind) for kind in kinds] + [("visit 1", None, "hat", at, kinds[-1])]
    return pl.DataFrame(rows, schema=["visitor", "user_key", "item_id", "acted_at", "act"], orient="row")


@pytest.mark.parametrize(
    ("kinds", "aim"),
    [
        (("view", "click", "purchase"), "purchase"),
        (("view", "click"), "click"),
        (("view", "add_to_cart"), "view"),
    ],
)
def test_the_aim_is_what_a_shop_wants_most_of_what_it_logs(kinds, aim):
    acts = ShopActs.of(acts_of(*kinds))
    assert acts.aim == aim
    assert acts.interactions.purchases.any()


def test_visitors_without_a_user_teach_and_get_no_list():
    acts = ShopActs.of(acts_of("view"), ["hat"])
    assert list(acts.user_keys) == ["u", None]
    assert list(acts.item_ids) == ["hat", "shoe"]
    assert acts.users.tolist() == [0]
    assert acts.is_shown.tolist() == [True, False]
    assert acts.interactions.n == 2
