"""Run the SQL models: raw tables → staging → intermediate → marts, in the order of their `reads:` lines."""

from datetime import date

import duckdb

from features.errors import InputDataError
from features.warehouse.models import Model, read_models
from features.warehouse.store import transaction
from features.warehouse.superseded import refuse_vanishing_lines

# Half-life of interest in every decayed sum: an act two weeks ago counts half of an act today.
HALF_LIFE_DAYS = 14.0


def build(
    connection: duckdb.DuckDBPyConnection,
    *,
    as_of: date,
    attribution_hours: int,
    max_superseded_share: float = 1.0,
) -> dict[str, int]:
    """Build the tables of all models again, all or none; return their numbers of rows by name.

    as_of: the night's date; later rows of the logs enter no table.
    attribution_hours: time after an impression in which a click or an order counts for it.
    The same raw tables and parameters give the same tables.

    max_superseded_share: largest share of a file's lines that may be left out because of another line with
        the same key; see `superseded.refuse_vanishing_lines`.

    Raises InputDataError when purchases are in several currencies, or too many lines would be left out.
    """
    models = read_models()
    with transaction(connection):
        connection.execute(f"SET VARIABLE as_of = DATE '{as_of.isoformat()}'")
        connection.execute(f"SET VARIABLE attribution_hours = {int(attribution_hours)}")
        connection.execute(f"SET VARIABLE half_life_days = {HALF_LIFE_DAYS}")
        for model in models:
            _make(connection, model, as_of)
            if model.name == "stg_superseded_lines":
                refuse_vanishing_lines(connection, max_superseded_share)
        _refuse_mixed_currencies(connection)
        _refuse_negative_days(connection)
        return {model.name: _n_rows(connection, model.name) for model in models}


def _make(connection: duckdb.DuckDBPyConnection, model: Model, as_of: date) -> None:
    kind, query = "TABLE", model.query
    if model.is_view:
        # A view is also read in later sessions, where no variable is set: null would hide every row.
        kind, query = "VIEW", query.replace("getvariable('as_of')", f"DATE '{as_of.isoformat()}'")
        held = connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = ?", [model.name])
        if held.fetchall():
            connection.execute(f"DROP TABLE {model.name}")
    connection.execute(f"CREATE OR REPLACE {kind} {model.name} AS {query}")


def _refuse_mixed_currencies(connection: duckdb.DuckDBPyConnection) -> None:
    """Refuse to add up cents of different currencies."""
    rows = connection.execute("SELECT DISTINCT currency_code FROM stg_purchases ORDER BY 1").fetchall()
    if len(rows) > 1:
        raise InputDataError(
            f"The purchases are in {', '.join(row[0] for row in rows)}; a shop must have one currency. "
            "Convert price_cents and currency_code in the mapping of its files."
        )


def _refuse_negative_days(connection: duckdb.DuckDBPyConnection) -> None:
    """Refuse days whose parts have a negative sum; in other files such lines are in quarantine."""
    found = connection.execute(
        """
        SELECT "date", campaign_id, channel, segment_id, spend_cents
        FROM fct_ad_spend
        WHERE least(spend_cents, revenue_cents, conversions) < 0
        ORDER BY ALL
        LIMIT 1
        """
    ).fetchone()
    if found:
        day, campaign, channel, segment, cents = found
        raise InputDataError(
            f"The parts of {day}, {campaign}, {channel}, {segment} have a negative sum (spend "
            f"{cents / 100:,.2f}): credits exceed the day. Export the part that is missing, or leave it."
        )


def _n_rows(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert row is not None
    return int(row[0])
