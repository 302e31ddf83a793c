import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from features.contracts.findings import to_json
from features.errors import MetacartError
from features.warehouse import erase
from features.warehouse.byte_search import holds_text
from features.warehouse.erase import (
    ERASED,
    erase_person,
    find_maskable,
    find_person,
    find_words,
    rewrite_store,
)
from features.warehouse.shop_ids import ShopId
from features.warehouse.store import open_store

Connection = duckdb.DuckDBPyConnection
Put = Callable[..., None]

ANN = "a1" * 32
BEN = "b2" * 32
# as a version wrote them that quoted lines
SLOT = '[{"code":"outside_bounds","subject":"slot","numbers":{"value":"0","at_least":1}}]'
ITEM = '[{"code":"empty_text","subject":"item_id","numbers":{"value":"ann-1"}}]'


def impression(number: int, user_key: str | None, session_id: str) -> dict[str, object]:
    return {"impression_id": f"i{number}", "user_key": user_key, "session_id": session_id, "slot": 1}


@pytest.fixture
def shop(warehouse: Connection, put: Put) -> Connection:
    """Ann was alone in session s1, before and after she logged in; s2 and s3 are not hers alone."""
    put(
        "impressions",
        impression(1, ANN, "s1"),
        impression(2, None, "s1"),
        impression(3, ANN, "s2"),
        impression(4, BEN, "s2"),
        impression(5, None, "s2"),
        impression(6, None, "s3"),
    )
    put("users", {"user_key": ANN, "region": "north"}, {"user_key": BEN})
    put("events", {"event_id": "e1", "user_key": BEN, "session_id": "s4"})
    warehouse.executemany(
        "INSERT INTO rejected_lines VALUES (1, ?, 'slot must be at least 1', ?, ?)",
        [
            (10, ITEM, '{"slot":"0"}'),
            (11, SLOT, '{"session_id":"s1"}'),
            (12, SLOT, '{"item_id":"joann-1"}'),
            (13, SLOT, '{"session_id":"s2"}'),
        ],
    )
    warehouse.execute("CREATE TABLE dim_users AS SELECT user_key, region FROM raw_users")
    warehouse.execute(f'CREATE TABLE notes AS SELECT \'{{"friend": "{ANN}"}}\'::JSON AS note, 7 AS n')
    return warehouse


def rows(connection: Connection, query: str) -> list[Any]:
    return [row[0] for row in connection.execute(query).fetchall()]


def test_every_row_of_the_person_is_found_and_no_other(shop: Connection) -> None:
    assert find_person(shop, ANN, ShopId(("ann-1",))) == {
        "raw_impressions": 3,
        "raw_users": 1,
        "dim_users": 1,
        "notes": 1,
        "rejected_lines": 2,
    }
    assert find_person(shop, "c3" * 32, ShopId(("nobody",))) == {}


def test_the_person_leaves_and_everybody_else_stays(shop: Connection) -> None:
    erase_person(shop, ANN, ShopId(("ann-1",)), mask="erased-1")

    assert find_person(shop, ANN, ShopId(("ann-1",))) == {}
    assert rows(shop, "SELECT impression_id FROM raw_impressions ORDER BY 1") == ["i4", "i5", "i6"]
    assert rows(shop, "SELECT user_key FROM raw_users") == [BEN]
    assert rows(shop, "SELECT event_id FROM raw_events") == ["e1"]


def test_a_rejected_line_keeps_its_number_and_loses_its_words(shop: Connection) -> None:
    erase_person(shop, ANN, ShopId(("ann-1",)), mask="erased-1")

    assert shop.execute("SELECT line, findings, example FROM rejected_lines ORDER BY line").fetchall() == [
        (10, to_json([ERASED]), None),
        (11, to_json([ERASED]), None),
        (12, SLOT, '{"item_id":"joann-1"}'),
        (13, SLOT, '{"session_id":"s2"}'),
    ]


def test_an_id_of_strange_signs_is_a_word_like_any_other(shop: Connection) -> None:
    shop.execute("INSERT INTO rejected_lines VALUES (2, 1, 'r', 'x', ?)", [json.dumps({"a": "o'h\".*\\b"})])

    assert (
        find_person(shop, ANN, ShopId(("o'h\".*\\b",)))["rejected_lines"] == 2
    )  # with the line of session s1


def test_an_id_in_rows_of_others_is_masked_where_it_links_and_named_where_others_need_it(
    warehouse: Connection, put: Put
) -> None:
    put(
        "impressions",
        impression(1, None, "ann-17/a"),
        impression(2, BEN, "ann-17/b") | {"candidate_set_id": "set of ann-17", "context": '{"by":"ann-17"}'},
        impression(3, BEN, "s3") | {"item_id": "card for ann-17"},
        impression(4, None, "joann-17"),
    )
    put(
        "purchases", {"order_id": "ann-17-1", "line": 1}, {"order_id": "ann-17-2", "line": 1, "user_key": BEN}
    )
    ann = ShopId(("ann-17",))
    assert find_person(warehouse, ANN, ann) == {"raw_impressions": 1, "raw_purchases": 1}
    assert find_maskable(warehouse, ANN, ann) == {
        ("raw_impressions", "candidate_set_id"): 1,
        ("raw_impressions", "context"): 1,
        ("raw_impressions", "session_id"): 1,
    }

    erase_person(warehouse, ANN, ann, mask="erased-1")

    assert find_person(warehouse, ANN, ann) == find_maskable(warehouse, ANN, ann) == {}
    assert find_words(warehouse, ann) == {("raw_impressions", "item_id"): 1, ("raw_purchases", "order_id"): 1}
    assert rows(warehouse, "SELECT session_id FROM raw_impressions ORDER BY impression_id") == [
        "erased-1/b",
        "s3",
        "joann-17",
    ]
    assert rows(warehouse, "SELECT context FROM raw_impressions WHERE context IS NOT NULL") == [
        '{"by":"erased-1"}'
    ]


def test_an_id_that_could_mean_something_else_is_masked_nowhere(warehouse: Connection, put: Put) -> None:
    put("impressions", impression(1, None, "7"), impression(2, BEN, "7") | {"context": '{"n":7}'})
    seven = ShopId(("7",))

    erase_person(warehouse, ANN, seven, mask="erased-1")

    assert find_maskable(warehouse, ANN, seven) == {}
    assert find_words(warehouse, seven) == {
        ("raw_impressions", "context"): 1,
        ("raw_impressions", "session_id"): 2,
    }


def test_one_session_id_for_all_makes_nobody_the_owner(warehouse: Connection, put: Put) -> None:
    put("impressions", impression(1, ANN, "none"), impression(2, BEN, "none"), impression(3, None, "none"))

    assert find_person(warehouse, ANN, ShopId(("ann",))) == {"raw_impressions": 1}


def test_erasing_is_all_or_nothing(shop: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    before = find_person(shop, ANN, ShopId(("ann-1",)))
    conditions = erase._conditions

    def broken_at_the_end(*arguments: Any) -> dict[str, str]:
        return conditions(*arguments) | {"zzz": "no such table"}

    with monkeypatch.context() as patch:
        patch.setattr(erase, "_conditions", broken_at_the_end)
        with pytest.raises(duckdb.Error):
            erase_person(shop, ANN, ShopId(("ann-1",)), mask="erased-1")

    assert find_person(shop, ANN, ShopId(("ann-1",))) == before


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """A warehouse of 20,000 users on disk, closed."""
    path = tmp_path / "shop.duckdb"
    with open_store(path) as connection:
        # DuckDB squeezes some texts into codes; a byte search would then find nothing before or after.
        connection.execute("SET force_compression = 'uncompressed'")
        connection.execute(
            """
            INSERT INTO raw_users (user_key, region, load_number, file_line)
            SELECT sha256(range::VARCHAR), 'north', 1, range FROM range(20000)
            """
        )
    yield path


def test_delete_checkpoint_and_vacuum_leave_the_bytes_and_a_new_file_does_not(file: Path) -> None:
    with open_store(file) as connection:
        [person] = rows(connection, "SELECT user_key FROM raw_users WHERE file_line = 7")
    assert holds_text(file, person)
    with open_store(file) as connection:
        erase_person(connection, person, ShopId(("7",)), mask="erased-1")
        connection.execute("VACUUM")
        connection.execute("FORCE CHECKPOINT")
    assert holds_text(file, person)

    rewrite_store(file)

    assert not holds_text(file, person)
    assert not holds_text(file, person[:16])


def test_a_rewritten_file_has_the_same_rows_in_the_same_order_and_the_same_rules(file: Path) -> None:
    def content() -> list[Any]:
        with open_store(file) as connection:
            connection.execute("INSERT INTO rejected_lines VALUES (1, 1, 'a', 'b', NULL)")
            with pytest.raises(duckdb.ConstraintException):
                connection.execute("INSERT INTO rejected_lines VALUES (1, 1, 'a', NULL, NULL)")
            connection.execute("DELETE FROM rejected_lines")
            return connection.execute("FROM raw_users").fetchall()

    before = content()
    rewrite_store(file)

    assert content() == before
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_crash_before_the_last_step_leaves_the_old_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = file.read_bytes()

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(erase.os, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            rewrite_store(file)

    assert file.read_bytes() == before
    rewrite_store(file)
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_file_that_is_open_elsewhere_or_damaged_stays_and_is_reported(file: Path) -> None:
    file.write_bytes(b"no database at all" * 1000)

    with pytest.raises(MetacartError, match="could not be rewritten"):
        rewrite_store(file)
