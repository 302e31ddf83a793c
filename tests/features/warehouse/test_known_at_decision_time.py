"""Laws of every feature: nothing that comes later, and no order of rows, changes what was known."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.context import HISTORY
from features.warehouse.build import build
from features.warehouse.models import read_models
from features.warehouse.popularity import read_popularity
from features.warehouse.store import open_store
from features.warehouse.touches import Touched, read_touches

Row = dict[str, object]
Logs = dict[str, list[Row]]

START = datetime(2026, 1, 1, tzinfo=UTC)
NIGHT = date(2026, 1, 31)
ITEMS = [
    {"item_id": "hat", "category": "head", "brand": "birch"},
    {"item_id": "cap", "category": "head", "brand": "alder"},
    {"item_id": "shoe", "category": "feet", "brand": "birch"},
]

hours = st.integers(0, 40)
things = {
    "user_key": st.sampled_from(["ann", "bob", None]),
    "session_id": st.sampled_from(["s1", "s2", "s3", None]),
    "item_id": st.sampled_from(["hat", "cap", "shoe", "unlisted"]),
}
acts = st.lists(
    st.fixed_dictionaries(
        {
            "hour": hours,
            "kind": st.sampled_from(["view", "click", "add_to_cart", "shown", "order", "ad"]),
            **things,
        }
    ),
    max_size=12,
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_store(tmp_path_factory.mktemp("laws") / "shop.duckdb") as connection:
        yield connection


def logs_of(drawn: list[Row]) -> Logs:
    """Write what happened as rows of the logs; each row has a line of its own."""
    logs: Logs = {"impressions": [], "events": [], "purchases": [], "ad_impressions": [], "items": ITEMS}
    for number, act in enumerate(drawn):
        key, at = f"{act['hour']} {number}", START + timedelta(hours=int(str(act["hour"])))
        who = {name: act[name] for name in ("user_key", "session_id", "item_id")}
        if act["kind"] == "shown":
            row = {
                "impression_id": key,
                "shown_at": at,
                "surface": "home",
                "slot": 1,
                "propensity": 0.5,
                **who,
                # where things are shown, visits are known
                "session_id": who["session_id"] or "s1",
            }
            logs["impressions"].append(row)
        elif act["kind"] == "order":
            row = {"order_id": key, "line": 1, "ordered_at": at, "quantity": 2, "price_cents": 150, **who}
            logs["purchases"].append({**row, "currency_code": "EUR", "is_cancelled": False})
        elif act["kind"] == "ad":
            row = {"ad_impression_id": key, "shown_at": at, "user_key": act["user_key"], "is_clicked": True}
            logs["ad_impressions"].append({**row, "channel": "search", "creative_id": act["item_id"]})
        else:
            row = {"event_id": key, "occurred_at": at, "event_type": act["kind"], **who}
            clicked = next((shown["impression_id"] for shown in logs["impressions"]), None)
            logs["events"].append({**row, "impression_id": clicked})
    return {log: [{**row, "file_line": line} for line, row in enumerate(rows)] for log, rows in logs.items()}


def built(store: duckdb.DuckDBPyConnection, logs: Logs, as_of: date = NIGHT) -> None:
    for log, rows in logs.items():
        store.execute(f"DELETE FROM raw_{log}")
        for row in rows:
            columns, marks = ", ".join(row), ", ".join("?" for _ in row)
            store.execute(
                f"INSERT INTO raw_{log} ({columns}, load_number) VALUES ({marks}, 1)", list(row.values())
            )
    build(store, as_of=as_of, attribution_hours=24)


def known_of_round(store: duckdb.DuckDBPyConnection, moment: datetime) -> list[object]:
    """Return every feature of the round of ann at a moment, and of the items on its day."""
    history = store.execute(
        f"SELECT {', '.join(HISTORY)} FROM fct_rounds WHERE round_id = 'the round'"
    ).fetchall()
    popularity = read_popularity(store, "recommendation", moment.date())
    touched = touches(store, "recommendation")
    state = touched.moments.filter(user_key="ann", decided_at=moment)["state"].item()
    entries = slice(touched.first[state], touched.first[state + 1]) if state >= 0 else slice(0)
    return [history, popularity.rows(), touched.item[entries].tolist(), touched.amount[entries].tolist()]


def touches(store: duckdb.DuckDBPyConnection, domain: str) -> Touched:
    """Return what was touched; a state keeps two of the three items, so that some are forgotten."""
    items = [str(item["item_id"]) for item in ITEMS]
    night_end = datetime(2026, 2, 1, tzinfo=UTC)
    return read_touches(store, domain, sorted(items), night_end=night_end, most_items=2)


def everything(store: duckdb.DuckDBPyConnection) -> list[object]:
    tables = [store.execute(f"FROM {model.name} ORDER BY ALL").fetchall() for model in read_models()]
    for domain in ("recommendation", "advertising"):
        touched = touches(store, domain)
        arrays = (touched.first, touched.item, touched.amount)
        tables += [touched.moments.rows(), *(array.tolist() for array in arrays)]
    return list(tables)


@settings(max_examples=12, deadline=None)
@given(drawn=acts, later=acts, hour=st.integers(1, 39))
def test_what_comes_at_or_after_a_round_changes_nothing_it_was_known_by(
    store: duckdb.DuckDBPyConnection, drawn: list[Row], later: list[Row], hour: int
) -> None:
    moment = START + timedelta(hours=hour)
    the_round = {"impression_id": "the round", "shown_at": moment, "user_key": "ann", "session_id": "s1"}
    the_round |= {"surface": "home", "slot": 1, "item_id": "hat", "propensity": 0.5, "file_line": 1000}
    past = [act for act in drawn if int(str(act["hour"])) < hour]
    future = [{**act, "hour": max(int(str(act["hour"])), hour)} for act in later]

    found = []
    for happened in (past, past + future):
        logs = logs_of(happened)
        logs["impressions"].append(the_round)
        built(store, logs)
        found.append(known_of_round(store, moment))

    assert found[0] == found[1]


@settings(max_examples=5, deadline=None)
@given(drawn=acts, data=st.data())
def test_the_order_of_rows_changes_nothing(
    store: duckdb.DuckDBPyConnection, drawn: list[Row], data: st.DataObject
) -> None:
    logs = logs_of(drawn)
    built(store, logs)
    expected = everything(store)

    built(store, {log: data.draw(st.permutations(rows)) for log, rows in logs.items()})

    assert everything(store) == expected


@settings(max_examples=5, deadline=None)
@given(drawn=acts, hour=hours)
def test_a_night_knows_what_it_would_know_if_later_rows_did_not_exist(
    store: duckdb.DuckDBPyConnection, drawn: list[Row], hour: int
) -> None:
    as_of = (START + timedelta(hours=hour)).date()
    logs = logs_of(drawn)
    built(store, logs, as_of)
    expected = everything(store)

    times = {"impressions": "shown_at", "events": "occurred_at", "purchases": "ordered_at"}
    times["ad_impressions"] = "shown_at"
    built(
        store,
        {
            log: [row for row in rows if log not in times or row[times[log]].date() <= as_of]
            for log, rows in logs.items()
        },
        as_of,
    )

    assert everything(store) == expected
