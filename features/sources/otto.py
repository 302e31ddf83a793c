"""OTTO sessions: JSONL, one visit a line with its list of clicks, carts and orders.

Visits have no user behind them, and items no price: user_id and price_cents stay null, and the currency is
XXX, the ISO code for none. What is ordered in one millisecond is one order.
Source: OTTO recommender systems dataset, 2022.
"""

from datetime import date
from pathlib import Path

from features.contracts.mapping import ELEMENT, ELEMENT_NUMBER, LogMapping, SourceFile
from features.sources.folder import listed
from features.sources.local_time import utc_time

COLUMNS = frozenset({"session", "events"})

# TRY: a text that is not JSON is not a list either.
_EVENTS = "TRY(CASE WHEN json_type(events) = 'ARRAY' THEN json_extract(events, '$[*]') END)"


def files(folder: Path, *, until: date | None = None) -> tuple[SourceFile, ...]:  # noqa: ARG001
    """Return the JSONL files of the folder; each feeds events and purchases.

    until: part of every adapter's signature; it leaves out no file here, because a file holds weeks. The
        warehouse leaves out rows after the night's date.
    Raises InputDataError when the folder holds no JSONL file.
    """
    paths = listed(folder, "*.jsonl", "*.jsonl.gz", source="OTTO")
    return tuple(SourceFile(path, path.name, "jsonl", COLUMNS, _logs()) for path in paths)


def _logs() -> tuple[LogMapping, ...]:
    kind, item, at = (f"json_extract_string({ELEMENT}, '$.{name}')" for name in ("type", "aid", "ts"))
    happened_at = utc_time(at, formats=["epoch_ms"])
    events = {
        "event_id": f"session || '/' || {ELEMENT_NUMBER}",
        "occurred_at": happened_at,
        "session_id": "session",
        "item_id": item,
        "event_type": f"CASE {kind} WHEN 'clicks' THEN 'click' WHEN 'carts' THEN 'add_to_cart' "
        f"ELSE {kind} END",
    }
    purchases = {
        "order_id": f"session || '/' || {at}",
        "line": ELEMENT_NUMBER,
        "ordered_at": happened_at,
        "session_id": "session",
        "item_id": item,
        "quantity": "1",
        "currency_code": "'XXX'",
        "is_cancelled": "false",
    }
    return (
        LogMapping("events", events, where=f"{kind} IS DISTINCT FROM 'orders'", elements=_EVENTS),
        LogMapping("purchases", purchases, where=f"{kind} = 'orders'", elements=_EVENTS),
    )
