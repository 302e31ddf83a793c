"""The stored form of a column, decided by its contract alone.

metadata of a column (features/contracts/columns.py):
    personal     may identify a person: dropped, unless it is generalized
    generalize   "day", "hour", or "postal prefix": stored coarser
    free_text    "text" or "json": scrubbed of addresses and numbers
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from features.deidentify.generalize import postal_prefix_sql, round_down_sql
from features.deidentify.scrub import scrub_json_sql, scrub_sql

GENERALIZED: Mapping[str, Callable[[str], str]] = {
    "day": partial(round_down_sql, to="day"),
    "hour": partial(round_down_sql, to="hour"),
    "postal prefix": postal_prefix_sql,
}
SCRUBBED: Mapping[str, Callable[[str], str]] = {"text": scrub_sql, "json": scrub_json_sql}


def stored_sql(value: str, metadata: Mapping[str, Any] | None) -> str:
    """Return the DuckDB expression for the stored form of a typed value: NULL where it is dropped.

    User ids are not for this function: `pseudonym_sql` makes them the key of the row.
    Raises KeyError for an unknown treatment.

    >>> stored_sql("birthday", {"personal": True})
    'NULL'
    >>> stored_sql("price_cents", {"unit": "cents"})
    'price_cents'
    """
    said = metadata or {}
    if kind := said.get("free_text"):
        return SCRUBBED[kind](value)
    if kind := said.get("generalize"):
        return GENERALIZED[kind](value)
    return "NULL" if said.get("personal") else value
