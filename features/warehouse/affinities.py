"""Affinities: how much each user had lately done with each leading item, category and brand.

    affinity(user, value, t) = sum over the user's acts at t_i < t on items of the value of 2^(-(t - t_i) / h)

There is one at each decision t. An act is a view, a click, an addition to the cart or an order: deeper
interest leaves more of them. It names its item; category and brand are those of the catalog.
Which values lead is known only when the training window is, so this is asked when tasks are built and is no
table of the warehouse.
"""

from datetime import datetime

import duckdb
import numpy as np
import polars as pl

from features.warehouse.build import HALF_LIFE_DAYS
from features.warehouse.store import SQL


def read_affinities(
    connection: duckdb.DuckDBPyConnection,
    domain: str,
    *,
    known_until: datetime,
    night_end: datetime,
    n_leading: int,
) -> pl.DataFrame:
    """Return user_key, decided_at and one Float32 column per leading value, named `affinity[trait=value]`.

    There is a row for each moment at which the domain decided for a user, and one at night_end for each user.
    trait: item, category or brand. known_until: values lead by the acts before it, n_leading of each trait.
    """
    _keep(connection, "decision_moments", domain=domain, night_end=night_end)
    _keep(connection, "leading_values", known_until=known_until, n_leading=n_leading)
    moments: pl.DataFrame = connection.sql(
        "SELECT user_key, decided_at FROM decision_moments ORDER BY moment"
    ).pl()
    leading: pl.DataFrame = connection.sql("FROM leading_values ORDER BY place").pl()
    parameters = {"night_end": night_end, "half_life_days": HALF_LIFE_DAYS}
    found = connection.sql(_query("decayed_affinities"), params=parameters).fetchnumpy()
    affinities = np.zeros((moments.height, leading.height), np.float32)
    affinities[found["moment"], found["place"]] = found["affinity"]
    names = leading.select(pl.format("affinity[{}={}]", "trait", "value")).to_series().to_list()
    return moments.hstack(pl.DataFrame(affinities, schema=names))


def _keep(connection: duckdb.DuckDBPyConnection, query: str, **parameters: object) -> None:
    """Make a query's rows a table until the connection closes."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {query} AS {_query(query)}", parameters)


def _query(name: str) -> str:
    return (SQL / "queries" / f"{name}.sql").read_text()
