"""Logs of what users did with items, and what a decision knew of them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

import duckdb
import polars as pl

from features.warehouse.build import build
from features.warehouse.touches import Touched, read_touches

Row = dict[str, object]

START = datetime(2026, 1, 1, tzinfo=UTC)
NIGHT_END = datetime(2026, 2, 1, tzinfo=UTC)
ITEMS = ("cap", "hat", "shoe")
LOGS = ("events", "purchases", "impressions")


def time_of(at: str) -> datetime:
    return datetime.fromisoformat(f"2026-{at}+00:00")


def did(kind: str, at: str | datetime, item: str, user: str | None = "ann") -> Row:
    return {
        "event_id": f"{kind} {at} {item} {user}",
        "event_type": kind,
        "occurred_at": at if isinstance(at, datetime) else time_of(at),
        "user_key": user,
        "session_id": "s1",
        "item_id": item,
    }


def bought(at: str | datetime, item: str, user: str | None = "ann", *, is_cancelled: bool = False) -> Row:
    return {
        "order_id": f"{at} {item} {user}",
        "line": 1,
        "ordered_at": at if isinstance(at, datetime) else time_of(at),
        "user_key": user,
        "item_id": item,
        "quantity": 3,
        "price_cents": 100,
        "currency_code": "EUR",
        "is_cancelled": is_cancelled,
    }


def shown(at: str | datetime, user: str | None = "ann") -> Row:
    return {
        "impression_id": f"{at} {user}",
        "shown_at": at if isinstance(at, datetime) else time_of(at),
        "user_key": user,
        "session_id": "s2",
        "surface": "home",
        "item_id": "hat",
    }


@dataclass(frozen=True)
class Asker:
    """Puts rows into an empty warehouse and reads what was touched."""

    store: duckdb.DuckDBPyConnection

    def __call__(
        self,
        *rows: Row,
        domain: str = "recommendation",
        items: tuple[str, ...] = ITEMS,
        most_items: int = 100,
    ) -> Touched:
        for log, key in zip(LOGS, ("event_id", "order_id", "impression_id"), strict=True):
            self.store.execute(f"DELETE FROM raw_{log}")
            of_log = [{**row, "load_number": 1} for row in rows if key in row]
            if of_log:
                fresh = pl.DataFrame(of_log, infer_schema_length=None).with_row_index("file_line", 2)
                self.store.register("fresh", fresh.to_arrow())
                self.store.execute(f"INSERT INTO raw_{log} BY NAME FROM fresh")
        build(self.store, as_of=date(2026, 1, 31), attribution_hours=24)
        return read_touches(self.store, domain, items, night_end=NIGHT_END, most_items=most_items)


def state_of(touched: Touched, at: str | datetime, user: str = "ann") -> int:
    moment = at if isinstance(at, datetime) else time_of(at)
    return int(touched.moments.filter(user_key=user, decided_at=moment)["state"].item())


def known(touched: Touched, at: str | datetime, user: str = "ann") -> dict[int, tuple[float, ...]]:
    """Return place of the item → amounts, as known to a decision."""
    state = state_of(touched, at, user)
    if state < 0:
        return {}
    entries = range(touched.first[state], touched.first[state + 1])
    return {int(touched.item[entry]): tuple(touched.amount[entry].tolist()) for entry in entries}
