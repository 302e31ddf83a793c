"""Undecided: for which domains a shop's logs carry no decision, or none that can be proved, and why."""

from collections.abc import Mapping
from datetime import date

import duckdb

from features.areas import AREAS, Area
from features.contracts.findings import Finding, finding


def undecided(connection: duckdb.DuckDBPyConnection, as_of: date) -> dict[str, Finding]:
    """Return domain → why nothing is decided in it; ask when the marts of the night are built.

    A shop need not log everything: the night decides what its logs allow, and reports the rest.
    """
    found = {area.name: _why(area, as_of, *_counts(connection, area)) for area in AREAS}
    return {domain: why for domain, why in found.items() if why}


def unproven(connection: duckdb.DuckDBPyConnection, reasons: Mapping[str, Finding]) -> dict[str, Finding]:
    """Return domain → why it can be decided without proof only, of those that are undecided.

    reasons: from `undecided`. Not where rewards may still arrive: tomorrow's night has the proof.
    """
    found = {}
    for area in AREAS:
        why = reasons.get(area.name)
        if why is None or not area.acts or why.code == "no_mature_rewards":
            continue
        if connection.execute(f"SELECT 1 FROM {area.acts} LIMIT 1").fetchone():
            is_silent = why.code == "no_rows"
            code, numbers = ("acts_alone", {}) if is_silent else ("acts_beside_rounds", why.numbers)
            found[area.name] = Finding(code, area.name, numbers)
    return found


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


def _why(area: Area, as_of: date, n_rows: int, n_with_propensity: int, n_mature: int) -> Finding | None:
    if not n_rows:
        return finding("no_rows", area.name, as_of=as_of.isoformat())
    if not n_with_propensity:
        return finding("no_propensities", area.name, n_rows=n_rows)
    if not n_mature:
        return finding("no_mature_rewards", area.name, as_of=as_of.isoformat(), n_rows=n_rows)
    return None
