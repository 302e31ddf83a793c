import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pytest

from features.errors import InputDataError
from features.sources import open_bandit
from features.warehouse.load import LoadedFile, load_file
from features.warehouse.store import open_store
from tests.laws.said_of_lines import rejected_lines

USER = "u0,u1,u2,u3"
HEADER = (
    ",timestamp,item_id,position,click,propensity_score,"
    "user_feature_0,user_feature_1,user_feature_2,user_feature_3,user-item_affinity_0,user-item_affinity_1\n"
)
ITEMS = ",item_id,item_feature_0,item_feature_1,item_feature_2,item_feature_3\n"


def row(
    number: int,
    *,
    item: str = "1",
    slot: str = "2",
    click: str = "0",
    propensity: str = "0.5",
    at: str = "2019-11-24 00:00:17.004101+00:00",
) -> str:
    return f"{number},{at},{item},{slot},{click},{propensity},{USER},0.0,4.0\n"


@dataclass(frozen=True)
class Shop:
    """An Open Bandit folder and a warehouse to load it into."""

    folder: Path
    warehouse: duckdb.DuckDBPyConnection

    def write(self, name: str, content: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    def load(self) -> list[LoadedFile]:
        return [
            load_file(self.warehouse, file, pseudonym_sql="user_id", key_id="none", max_rejected_share=1.0)
            for file in open_bandit.files(self.folder)
        ]

    def ask(self, query: str) -> list[tuple[object, ...]]:
        return self.warehouse.execute(query).fetchall()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with open_store(tmp_path / "shop.duckdb") as warehouse:
        yield Shop(tmp_path / "obd", warehouse)


def test_a_row_becomes_an_impression(shop: Shop) -> None:
    shop.write("bts/men/men.csv", HEADER + row(7))
    shop.load()

    [impression] = shop.ask(
        "SELECT impression_id, session_id, shown_at::VARCHAR, user_key, surface, slot, item_id, propensity, "
        "policy_version, context FROM raw_impressions"
    )
    assert impression[:-1] == (
        "bts/men/7",
        "bts/men/7",
        "2019-11-24 00:00:17.004101+00",
        None,
        "men",
        2,
        "men:1",
        0.5,
        "bts",
    )
    assert json.loads(str(impression[-1])) == {f"user_feature_{k}": f"u{k}" for k in range(4)}


def test_a_click_becomes_an_event_of_its_impression(shop: Shop) -> None:
    shop.write("random/all/all.csv", HEADER + row(0) + row(1, click="1"))
    shop.load()

    assert shop.ask("SELECT impression_id FROM raw_impressions ORDER BY 1") == [
        ("random/all/0",),
        ("random/all/1",),
    ]
    assert shop.ask("SELECT event_id, event_type, impression_id, item_id FROM raw_events") == [
        ("random/all/1/click", "click", "random/all/1", "all:1")
    ]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (row(1, click="nan"), "event_type is a text of 11 characters; it must be one of"),
        (row(1, click=""), "event_type is a text of 15 characters; it must be one of"),
        (row(1, propensity="0"), "propensity is a number of 1 character; it must be above 1e-12"),
        (row(1, propensity="1.7"), "propensity is a number of 3 characters; it must be above 1e-12"),
        (
            row(1, at="2019-11-24 00:00:17"),
            "shown_at is a text of 19 characters; it must be a time with its offset",
        ),
        (row(1, item=""), "item_id is missing"),
        ("1,2019-11-24 00:00:17+00:00,3\n", "the line has fewer fields"),
    ],
)
def test_a_bad_row_is_quarantined_from_every_log(shop: Shop, bad: str, reason: str) -> None:
    shop.write("random/all/all.csv", HEADER + row(0) + bad)

    [loaded] = shop.load()

    assert (loaded.n_loaded, loaded.n_rejected) == (1, 1)
    [(line, said)] = rejected_lines(shop.warehouse)
    assert (line, said[: len(reason)]) == (3, reason)
    assert shop.ask("SELECT count(*) FROM raw_events") == [(0,)]


def test_the_catalog_is_read_once_and_random_goes_first(shop: Shop) -> None:
    for policy in ("bts", "random"):
        shop.write(f"{policy}/men/men.csv", HEADER + row(0))
        shop.write(f"{policy}/men/item_context.csv", f"{ITEMS}0,1,-0.5,{policy}-category,b,c\n")
    shop.write("bts/women/women.csv", HEADER + row(0))
    shop.write("bts/women/item_context.csv", f"{ITEMS}0,1,0.5,bts-category,b,c\n")
    shop.load()

    items = shop.ask("SELECT item_id, category, attributes FROM raw_items ORDER BY 1")
    assert [item[:2] for item in items] == [("men:1", "random-category"), ("women:1", "bts-category")]
    assert json.loads(str(items[0][2])) == {
        "item_feature_0": -0.5,
        "item_feature_1": "random-category",
        "item_feature_2": "b",
        "item_feature_3": "c",
    }


def test_the_older_name_of_the_propensity_is_known(shop: Shop) -> None:
    shop.write("random/all/all.csv", HEADER.replace("propensity_score", "action_prob") + row(0))
    shop.load()

    assert shop.ask("SELECT propensity FROM raw_impressions") == [(0.5,)]


@pytest.mark.parametrize("column", ["propensity_score", "timestamp", "click", "user_feature_3"])
def test_a_wrong_header_is_refused(shop: Shop, column: str) -> None:
    shop.write("random/all/all.csv", HEADER.replace(column, "other") + row(0))

    with pytest.raises(InputDataError, match=rf"random/all/all\.csv lacks the columns {column}; it has"):
        shop.load()


@pytest.mark.parametrize("content", ["", HEADER])
def test_an_empty_log_is_not_an_error(shop: Shop, content: str) -> None:
    shop.write("random/all/all.csv", content)

    assert [loaded.n_lines for loaded in shop.load()] == [0]


def test_a_folder_without_campaigns_says_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(InputDataError, match="run `metacart data fetch open_bandit`"):
        open_bandit.files(tmp_path)


def test_a_date_leaves_out_no_file(shop: Shop) -> None:
    shop.write("random/all/all.csv", HEADER + row(0))

    assert open_bandit.files(shop.folder, until=date(2000, 1, 1)) == open_bandit.files(shop.folder)
