"""First nights of the smallest shops: one user, one item, one day, at each level of logging."""

import html
import re
from itertools import product
from pathlib import Path

import polars as pl
import pytest

from features.contracts.outputs import OUTPUTS
from flows.stages.night import NightResult, run_night
from tests.flows.tiny_shop import FIRST, Level, Tiny, tiny_shop, write_day

AREA = "recommendation"
WHY = {"acts": "acts_alone", "impressions": "acts_beside_rounds", "propensities": "acts_beside_few_rounds"}

SMALLEST = [Tiny(*sizes) for sizes in product((1, 3), (1, 3), (1, 4))]


def said(night: NightResult) -> str:
    """Return the words of the report."""
    page = re.sub(r"<(style|script)\b.*?</\1>", " ", night.published.report.read_text(), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def table(night: NightResult, name: str) -> pl.DataFrame:
    found = night.published.table(name)
    OUTPUTS[name].validate(found, cast=True)
    return found


@pytest.mark.parametrize(
    ("level", "tiny"),
    [
        pytest.param(level, tiny, marks=[pytest.mark.slow] if tiny != SMALLEST[0] else [])
        for level in WHY
        for tiny in SMALLEST
        if level == "propensities" or tiny in (SMALLEST[0], SMALLEST[-1])
    ],
    ids=str,
)
def test_a_first_night_has_lists_and_says_why_they_are_unproven(
    level: Level, tiny: Tiny, tmp_path: Path
) -> None:
    night = run_night(tiny_shop(tmp_path / "shop", level, tiny).settings, None)
    # Of one day the rewards may all still arrive.
    expected = "acts_before_rewards" if level == "propensities" and tiny.days == 1 else WHY[level]
    assert (night.night.unproven[AREA].code, night.night.domains) == (expected, ())
    lists = table(night, "out_recommendations")
    assert set(lists["evidence_level"]) == {"unproven"}
    assert set(lists["policy_version"]) == {f"popularity-{night.night.run_id}"}
    n_items = lists["item_id"].n_unique()
    assert lists["user_key"].n_unique() == tiny.users
    chances = lists.group_by("user_key").agg(pl.col("propensity").sum())["propensity"]
    assert chances.max() <= n_items
    words = said(night)
    assert "popular items are shown" in words
    assert ("There is one item to show, and nothing to choose" in words) == (n_items == 1)
    assert "learning.exploration is 0" not in words
    assert "nan" not in words.split()


@pytest.mark.parametrize("acts", [True, False])
def test_days_fewer_than_rewards_take_to_arrive_are_not_judged(acts: bool, tmp_path: Path) -> None:
    """Three days before the last one, and a day between each two windows: none is left for the holdout."""
    tiny = Tiny(users=20, items=3, days=4, visits=60)
    shop = tiny_shop(tmp_path / "shop", "propensities", tiny, min_rounds=20, acts=acts)
    night = run_night(shop.settings, None)
    assert night.night.domains == ()
    why = night.night.unproven[AREA] if acts else night.night.undecided[AREA]
    assert why.code == ("acts_beside_undivided_rounds" if acts else "undivided_rounds")
    assert (why.number("n_rows"), why.number("n_hours")) == (240, 24)
    assert "can't be divided into parts to learn from, to choose on and to judge by" in said(night)
    assert ("out_recommendations" in night.published.tables) == acts


@pytest.mark.parametrize(
    "tiny",
    [
        Tiny(users=1, items=1, days=1, visits=60),
        pytest.param(Tiny(users=1, items=3, days=4, visits=60), marks=pytest.mark.slow),
        pytest.param(Tiny(users=20, items=1, days=4, visits=60), marks=pytest.mark.slow),
        pytest.param(Tiny(users=20, items=3, days=1, visits=60), marks=pytest.mark.slow),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("error::UserWarning")
def test_enough_rounds_of_one_user_item_or_day_are_held(tiny: Tiny, tmp_path: Path) -> None:
    shop = tiny_shop(tmp_path / "shop", "propensities", tiny, min_rounds=20, hours=1)
    night = run_night(shop.settings, None)
    assert night.night.domains == (AREA,)
    [verdict] = table(night, "out_verdicts").filter(segment_id="all").rows(named=True)
    assert (verdict["verdict"], verdict["champion"]) == ("hold", "logging")
    values = table(night, "out_policy_values")
    # What another user would have done is not known of one.
    assert values["lower"].is_null().all() == values["upper"].is_null().all() == (tiny.users == 1)
    assert values["interval_codes"].str.contains("no_interval").all() == (tiny.users == 1)
    served = table(night, "out_recommendations")
    assert set(served["evidence_level"]) == {"logged"}
    assert served["user_key"].n_unique() == tiny.users
    words = said(night)
    assert ("one of the users has all rounds" in words) == (tiny.users == 1)
    assert not {"nan", "inf"} & set(words.split())


@pytest.mark.parametrize(
    "level",
    ["propensities", *(pytest.param(level, marks=pytest.mark.slow) for level in ("acts", "impressions"))],
)
def test_a_second_night_goes_on_after_a_first_one_of_one_visit(level: Level, tmp_path: Path) -> None:
    one, more = Tiny(users=1, items=1, days=1, visits=1), Tiny(users=3, items=3, days=1)
    shop = tiny_shop(tmp_path / "shop", level, one)
    first = run_night(shop.settings, None)
    assert table(first, "out_recommendations").height == 1

    # A day on which nobody comes: the night before it is the same but for its date.
    between = run_night(shop.settings, FIRST.replace(day=6))
    assert between.night.data_to == FIRST
    columns = "user_key", "slot_rank", "item_id", "propensity"
    before, after = (table(night, "out_recommendations").select(columns) for night in (first, between))
    assert before.equals(after)

    write_day(tmp_path / "shop", level, more, FIRST.replace(day=7))
    third = run_night(shop.settings, None)
    assert third.night.as_of == FIRST.replace(day=7)
    assert table(third, "out_recommendations")["user_key"].n_unique() == more.users
