"""Undecided: for which domains a shop's logs carry no decision, and why, in sentences for its analysts."""

from datetime import date

import duckdb

from features.areas import AREAS, Area


def undecided(connection: duckdb.DuckDBPyConnection, as_of: date) -> dict[str, str]:
    """Return domain → why nothing is decided in it; ask when the marts of the night are built.

    A shop need not log everything: what its logs can carry is decided, and the rest is told.
    """
    said = {area.name: _why(area, as_of, *_counts(connection, area)) for area in AREAS}
    return {domain: why for domain, why in said.items() if why}


def _counts(connection: duckdb.DuckDBPyConnection, area: Area) -> tuple[int, int, int]:
    """Count the rows that an area can decide from: all, those with a propensity, those with their rewards.

    Only rounds have propensities and rewards; of another mart every row is as good as the next.
    """
    if not area.is_learned:
        [(n_rows,)] = connection.execute(f"SELECT count(*) FROM {area.mart}").fetchall()
        return n_rows, n_rows, n_rows
    [(n_rows, n_with_propensity, n_mature)] = connection.execute(
        """
        SELECT count(*), count(propensity), count(propensity) FILTER (is_mature)
        FROM fct_rounds
        WHERE domain = ?
        """,
        [area.name],
    ).fetchall()
    return n_rows, n_with_propensity, n_mature


def _why(area: Area, as_of: date, n_rows: int, n_with_propensity: int, n_mature: int) -> str:
    if not n_rows:
        return f"The logs hold no {area.rows} up to {as_of}: they do not say {area.unknown_without}."
    if not n_with_propensity:
        return (
            f"None of {n_rows:,} {area.rows} has a propensity, the probability with which it was chosen. "
            "Without chance in what was shown, what another choice would have brought can't be told."
        )
    if not n_mature:
        return (
            f"At the end of {as_of} the rewards of all {n_rows:,} {area.rows} may still arrive: none is "
            "older than night.attribution_hours. Run a later night by --as-of, or set it shorter if the "
            "logs hold all rewards already."
        )
    return ""
