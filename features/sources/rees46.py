"""REES46 multi-category store: one CSV file of events a month (2019-Oct.csv, ...).

A line is a view, a cart, a removal or a purchase, with the item's category, brand and price. There are no
impressions and no orders: what one session bought in one second is one order.
Source: REES46 Marketing Platform, eCommerce behavior data from multi category store, 2019.
"""

from datetime import date
from pathlib import Path

from features.contracts.mapping import LINE, LogMapping, SourceFile
from features.contracts.sql_text import quoted
from features.sources.folder import listed
from features.sources.money import cents

# The publisher names no currency; the prices are those of electronics in dollars.
CURRENCY_CODE = "USD"

COLUMNS = frozenset(
    {"event_time", "event_type", "product_id", "category_id", "category_code"}
    | {"brand", "price", "user_id", "user_session"}
)


def files(folder: Path, *, until: date | None = None) -> tuple[SourceFile, ...]:  # noqa: ARG001
    """Return the CSV files of the folder and the logs that each feeds: events, purchases, items.

    until: part of every adapter's signature; it leaves out no file here, because a file holds a month.
        The warehouse leaves out rows after the night's date.
    Raises InputDataError when the folder holds no CSV file.
    """
    return tuple(
        SourceFile(path, name, "csv", COLUMNS, _logs(name))
        for path in listed(folder, "*.csv", "*.csv.gz", source="REES46")
        if (name := path.name)
    )


def _logs(name: str) -> tuple[LogMapping, ...]:
    row = f"{quoted(name + ':')} || {LINE}"
    price_cents = cents("price", "currency")
    events = {
        "event_id": row,
        "occurred_at": "event_time",
        "user_id": "user_id",
        "session_id": "user_session",
        "item_id": "product_id",
        "event_type": "CASE event_type WHEN 'cart' THEN 'add_to_cart' ELSE event_type END",
    }
    purchases = {
        "order_id": f"coalesce(user_session || '/' || event_time, {row})",
        "line": LINE,
        "ordered_at": "event_time",
        "user_id": "user_id",
        "session_id": "user_session",
        "item_id": "product_id",
        "quantity": "1",
        "price_cents": price_cents,
        "currency_code": quoted(CURRENCY_CODE),
        "is_cancelled": "false",
    }
    items = {
        "item_id": "product_id",
        "category": "category_code",
        "brand": "brand",
        "price_cents": price_cents,
        "currency_code": quoted(CURRENCY_CODE),
        "attributes": "json_object('category_id', category_id)",
    }
    return (
        LogMapping("events", events, where="event_type IS DISTINCT FROM 'purchase'"),
        LogMapping("purchases", purchases, where="event_type = 'purchase'"),
        LogMapping("items", items, one_row_per_key=True),
    )
