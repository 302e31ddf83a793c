"""Undecided: the domains that a shop's logs allow no decision in, with reasons in sentences for analysts."""

from datetime import date

import duckdb

from features.areas import AREAS, Area


def undecided(connection: duckdb.DuckDBPyConnection, as_of: date) -> dict[str, str]:
    """Return domain → why nothing is decided in it, once the marts of the night are built.

    A shop need not log everything: the night decides what its logs allow, and reports the rest.
    """
    said = {area.name: _why(area, as_of, *_counts(connection, area)) for area in AREAS}
    return {domain: why for domain, why in said.items() if why}


def _counts(connection: duckdb.DuckDBPyConnection, area: Area) -> tuple[int, int, int]:
    """Count the rows that an area can decide from: all, with a propensity, and with complete rewards.

    Only rounds have propensities and rewards; in other marts, every row counts as complete.
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
        return f"The logs hold no {area.rows} up to {as_of}: it is unknown {area.unknown_without}."
    if not n_with_propensity:
        return (
            f"None of {n_rows:,} {area.rows} has a propensity, the probability with which it was chosen. "
            "Without random choice in what was shown, the effect of another choice can't be estimated."
        )
    if not n_mature:
        return (
            f"Until {as_of}, rewards of all {n_rows:,} {area.rows} may still arrive: none of them is "
            "older than night.attribution_hours. Run a later night by --as-of, or reduce that setting if the "
            "logs already contain all rewards."
        )
    return ""
