"""Undecided: for which domains a shop's logs carry no decision, or none that can be proved, and why."""

from collections.abc import Mapping
from datetime import date

import duckdb

from features.areas import AREAS, Area
from features.contracts.findings import Finding, finding
from features.rewards import Reward


def undecided(connection: duckdb.DuckDBPyConnection, as_of: date, reward: Reward) -> dict[str, Finding]:
    """Return domain → why nothing is decided in it; ask when the marts of the night are built.

    A shop need not log everything: the night decides what its logs allow, and reports the rest.
    """
    found = {area.name: _why(area, as_of, reward, _counts(connection, area)) for area in AREAS}
    return {domain: why for domain, why in found.items() if why}


def unproven(
    connection: duckdb.DuckDBPyConnection, reasons: Mapping[str, Finding], fewest_rounds: int
) -> dict[str, Finding]:
    """Return domain → why it is decided without proof, where the acts of users allow it.

    reasons: from `undecided`. fewest_rounds: with fewer that prove anything, no segment can be learned. So a
    shop that begins to log what it shows keeps its lists until the log can carry better ones.
    """
    found: dict[str, Finding] = {}
    for area in AREAS:
        if area.acts and connection.execute(f"SELECT 1 FROM {area.acts} LIMIT 1").fetchone():
            why = _why_unproven(area.name, reasons.get(area.name), _counts(connection, area), fewest_rounds)
            found |= {area.name: why} if why else {}
    return found


def _why_unproven(
    domain: str, undecided: Finding | None, counts: tuple[int, int, int], fewest: int
) -> Finding | None:
    n_rows, n_with_propensity, n_mature = counts
    if undecided is None:
        few = finding("acts_beside_few_rounds", domain, n_rows=n_mature, least=fewest)
        return few if n_mature < fewest else None
    if not n_rows:
        return Finding("acts_alone", domain)
    if not n_with_propensity:
        return finding("acts_beside_rounds", domain, n_rows=n_rows)
    return finding("acts_before_rewards", domain, n_rows=n_rows)


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


def _why(area: Area, as_of: date, reward: Reward, counts: tuple[int, int, int]) -> Finding | None:
    n_rows, n_with_propensity, n_mature = counts
    if not n_rows:
        return finding("no_rows", area.name, as_of=as_of.isoformat())
    unknown = reward.unknown_in(area.rewards) if area.is_learned else ()
    if unknown:
        return finding("reward_not_logged", area.name, reward=reward.name, results=", ".join(unknown))
    if not n_with_propensity:
        return finding("no_propensities", area.name, n_rows=n_rows)
    if not n_mature:
        return finding("no_mature_rewards", area.name, as_of=as_of.isoformat(), n_rows=n_rows)
    return None
