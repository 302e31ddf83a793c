"""RetailRocket: events.csv of a store, and item_properties*.csv with what was known of its items.

A line of events.csv is a view, an addtocart or a transaction. Visits are not marked, and prices are hashed
away: session_id and price_cents stay null, and the currency is XXX, the ISO code for none.
Source: RetailRocket recommender system dataset, 2016.
"""

from datetime import date
from pathlib import Path

from features.contracts.mapping import LINE, LogMapping, SourceFile
from features.contracts.sql_text import quoted
from features.sources.folder import listed, log_files
from features.sources.local_time import utc_time

EVENT_COLUMNS = frozenset({"timestamp", "visitorid", "event", "itemid", "transactionid"})
PROPERTY_COLUMNS = frozenset({"timestamp", "itemid", "property", "value"})


def files(folder: Path, *, until: date | None = None) -> tuple[SourceFile, ...]:  # noqa: ARG001
    """Return events.csv, and the item properties where they are there.

    until: part of every adapter's signature; it leaves out no file here, because one file holds all days.
        The warehouse leaves out rows after the night's date.
    Raises InputDataError when there are no events.
    """
    events = listed(folder, "events.csv", "events.csv.gz", source="RetailRocket")
    properties = log_files(folder, "item_properties*.csv*")
    return (
        *(SourceFile(path, path.name, "csv", EVENT_COLUMNS, _event_logs(path.name)) for path in events),
        *(SourceFile(path, path.name, "csv", PROPERTY_COLUMNS, (_ITEMS,)) for path in properties),
    )


def _event_logs(name: str) -> tuple[LogMapping, ...]:
    at = utc_time("timestamp", formats=["epoch_ms"])
    events = {
        "event_id": f"{quoted(name + ':')} || {LINE}",
        "occurred_at": at,
        "user_id": "visitorid",
        "item_id": "itemid",
        "event_type": "CASE event WHEN 'addtocart' THEN 'add_to_cart' ELSE event END",
    }
    purchases = {
        "order_id": "transactionid",
        "line": LINE,
        "ordered_at": at,
        "user_id": "visitorid",
        "item_id": "itemid",
        "quantity": "1",
        "currency_code": "'XXX'",
        "is_cancelled": "false",
    }
    return (
        LogMapping("events", events, where="event IS DISTINCT FROM 'transaction'"),
        LogMapping("purchases", purchases, where="event = 'transaction'"),
    )


# Properties are a history, a line per item, property and week; all but the category are hashed. The file's
# last word on an item counts.
_ITEMS = LogMapping(
    "items",
    {"item_id": "itemid", "category": "value"},
    where="property = 'categoryid'",
    one_row_per_key=True,
)
