"""Item popularity: recent impressions and clicks of each action, as known when a day began."""

from datetime import date

import duckdb
import polars as pl

from features.warehouse.build import HALF_LIFE_DAYS
from features.warehouse.store import SQL

PRIOR_IMPRESSIONS = 100.0
"""Prior strength: the click rate of an item is shrunk to that of all items by this many impressions."""


def read_popularity(connection: duckdb.DuckDBPyConnection, domain: str, known_date: date) -> pl.DataFrame:
    """Return item_id, n_lately_shown and lately_clicked_share of every action shown before known_date.

    n_lately_shown counts impressions that lose half their weight every 14 days; with clicks c counted alike,
    prior strength m and the share p of all items, lately_clicked_share = (c + m p) / (n + m).
    """
    found: pl.DataFrame = connection.sql(
        (SQL / "queries" / "item_popularity.sql").read_text(),
        params={"domain": domain, "known_date": known_date, "half_life_days": HALF_LIFE_DAYS},
    ).pl()
    shown, clicked = pl.col("decayed_impressions"), pl.col("decayed_clicks")
    share = clicked.sum() / shown.sum()
    return found.select(
        "item_id",
        n_lately_shown=shown,
        lately_clicked_share=(clicked + PRIOR_IMPRESSIONS * share) / (shown + PRIOR_IMPRESSIONS),
    )
