"""Touches: what each user had lately done with each item, as known at each decision.

    amount(user, item, state) = sum over the user's acts on the item at t_i <= t of 2^(-(t - t_i) / h)

A state is a user and the moment t of the user's last act; a decision knows the state of the last act strictly
before it. An act is a view, a click, an addition to the cart or the line of an order, and names an item that
is an action of the domain.

A user has touched few of the items, so what was touched is all that is kept, for the states that some
decision asks for. A touch counts until the user touches the item again: a range of states, found by as-of
joins in n log n, so that neither users times items nor items times decisions ever exist.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb
import numpy as np
import numpy.typing as npt
import polars as pl

from features.warehouse.build import HALF_LIFE_DAYS
from features.warehouse.store import SQL

AMOUNTS = ("views", "clicks", "carts", "purchases", "days_since")
"""Columns of `Touched.amount`: decayed sums of four kinds of acts; days from the user's last act on the item
to the user's last act on any."""

MOST_ITEMS = 100
"""A state keeps this many items, those that were touched last. People look at fewer within weeks; a robot
reads the whole catalog, and would bring a row for each item and state of its."""


@dataclass(frozen=True, eq=False)
class Touched:
    """What had been done with which items in S states, and who was in which; E touches.

    moments: user_key, decided_at, state, a row for each moment at which the domain decided for a user and one
    for each user at the end of the night; state is -1 where the user had done nothing yet.
    State s has the touches first[s] .. first[s + 1] - 1, by item.
    first: int64[S+1]. item: int64[E], place among the actions. amount: float32[E, 5], see AMOUNTS.
    """

    moments: pl.DataFrame
    first: npt.NDArray[np.int64]
    item: npt.NDArray[np.int64]
    amount: npt.NDArray[np.float32]


def read_touches(
    connection: duckdb.DuckDBPyConnection,
    domain: str,
    action_ids: Sequence[str],
    *,
    night_end: datetime,
    most_items: int = MOST_ITEMS,
) -> Touched:
    """Read what users had done with the actions of a domain, from the tables that `build` made.

    action_ids: the domain's actions in order; acts on anything else count for nothing. They must be sorted,
    because of items touched at the same moment the first ones are kept.
    most_items: a state keeps the items touched last, this many of them.
    """
    when = {"night_end": night_end, "half_life_days": HALF_LIFE_DAYS}
    _keep_frame(connection, "action_numbers", _numbered(action_ids))
    _keep(connection, "decision_moments", domain=domain, night_end=night_end)
    _keep(connection, "touched_items", **when)
    _keep(connection, "asked_states")
    crowded = connection.sql(_query("crowded_touches"), params={"most_items": most_items}).pl()
    _keep_frame(connection, "forgotten_touches", _forgotten(crowded, most_items))
    moments: pl.DataFrame = connection.sql(_query("states_of_moments")).pl()
    found = connection.sql(_query("touches_of_states"), params=when).fetchnumpy()
    n_states = connection.table("asked_states").shape[0]
    # They are as large as the logs, and nothing asks for them again.
    for table in ("action_numbers", "decision_moments", "touched_items", "asked_states", "forgotten_touches"):
        connection.execute(f"DROP TABLE temp.{table}")
    return Touched(
        moments=moments,
        first=np.searchsorted(found["state"], np.arange(n_states + 1)).astype(np.int64),
        item=found["item"].astype(np.int64),
        amount=np.column_stack([found[name] for name in AMOUNTS]).astype(np.float32),
    )


def _numbered(action_ids: Sequence[str]) -> pl.DataFrame:
    ids = pl.Series("item_id", action_ids, dtype=pl.String)
    return pl.DataFrame({"item_id": ids, "item": np.arange(len(ids))})


def _forgotten(crowded: pl.DataFrame, most_items: int) -> pl.DataFrame:
    """Return user_number, item, acted_at and forgotten_at of the touches that others drove out.

    crowded: user_number, item, acted_at in the order of time. What a state keeps is what a cache of
    `most_items` items would hold that forgets the one longest unused.
    """
    ended: list[int] = []
    by: list[int] = []
    kept: OrderedDict[int, int] = OrderedDict()
    of_user = None
    for row, (user, item) in enumerate(crowded.select("user_number", "item").iter_rows()):
        if user != of_user:
            kept.clear()
            of_user = user
        kept[item] = row
        kept.move_to_end(item)
        if len(kept) > most_items:
            ended.append(kept.popitem(last=False)[1])
            by.append(row)
    at = crowded["acted_at"].gather(by).alias("forgotten_at")
    return crowded[ended].with_columns(at)


def _keep(connection: duckdb.DuckDBPyConnection, query: str, **parameters: object) -> None:
    """Make a query's rows a table until the reader is done."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {query} AS {_query(query)}", parameters)


def _keep_frame(connection: duckdb.DuckDBPyConnection, table: str, frame: pl.DataFrame) -> None:
    connection.register("fresh", frame.to_arrow())
    try:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS FROM fresh")
    finally:
        connection.unregister("fresh")


def _query(name: str) -> str:
    return (SQL / "queries" / f"{name}.sql").read_text()
