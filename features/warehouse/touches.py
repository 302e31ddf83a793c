"""Touches: the recent acts of each user on each item, as known at each decision.

    amount(user, item, state) = sum over the user's acts on the item at t_i <= t of 2^(-(t - t_i) / h)

A state is a user and the time t of the user's last act; a decision has the state of the last act strictly
before it. An act is a view, a click, an addition to the cart or the line of an order, and names an item that
is an action of the domain.

A user has touched few of the items, so only touched items are stored, for the states of some decision. A
touch
counts until the user touches the item again: a range of states, found by as-of joins in n log n, so that
there is no table of users by items or of items by decisions.
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
"""Number of items in a state, those that were touched last. People view fewer within weeks; a robot reads the
whole catalog, and would add a row for each item and state."""


@dataclass(frozen=True, eq=False)
class Touched:
    """The touches of items in S states, and the users of the states; E touches.

    moments: user_key, decided_at, state, a row for each moment at which the domain decided for a user and one
    for each user at the end of the night; state is -1 for a user without an earlier act.
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
    """Read the touches of a domain's actions by users, from the tables that `build` made.

    action_ids: the domain's actions, sorted; acts on other items don't count. Of items touched at the same
    time, the first ones in this order are kept.
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
    # They are as large as the logs, and are not needed again.
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
    """Return user_number, item, acted_at and forgotten_at of the touches that newer ones replaced.

    crowded: user_number, item, acted_at in the order of time. A state keeps the items of a
    least-recently-used cache of `most_items` items.
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
    """Store a query's rows in a temporary table."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {query} AS {_query(query)}", parameters)


def _keep_frame(connection: duckdb.DuckDBPyConnection, table: str, frame: pl.DataFrame) -> None:
    connection.register("fresh", frame.to_arrow())
    try:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS FROM fresh")
    finally:
        connection.unregister("fresh")


def _query(name: str) -> str:
    return (SQL / "queries" / f"{name}.sql").read_text()
