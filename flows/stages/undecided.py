"""Undecided: for which domains a shop's logs carry no decision, and why, in sentences for its analysts."""

from datetime import date

import duckdb

LOGS_OF = {
    "recommendation": ("impressions", "what was shown and passed over, so there is nothing to learn from"),
    "advertising": ("ad impressions", "which ads were shown, so that no creative can be chosen"),
    "budget": ("daily ad spend", "what was spent on ads, so that no budget can be divided"),
}


def undecided(connection: duckdb.DuckDBPyConnection, as_of: date) -> dict[str, str]:
    """Return domain → why nothing is decided in it; ask when the marts of the night are built.

    A shop need not log everything: what its logs can carry is decided, and the rest is told.
    """
    counts = connection.execute(
        """
        SELECT domain, count(*), count(propensity), count(propensity) FILTER (is_mature)
        FROM fct_rounds
        GROUP BY domain
        """
    ).fetchall()
    rounds = {domain: numbers for domain, *numbers in counts}
    [(n_spend_rows,)] = connection.execute("SELECT count(*) FROM fct_ad_spend").fetchall()
    rounds["budget"] = [n_spend_rows] * 3
    said = {domain: _why(domain, as_of, *rounds.get(domain, (0, 0, 0))) for domain in LOGS_OF}
    return {domain: why for domain, why in said.items() if why}


def _why(domain: str, as_of: date, n_rows: int, n_with_propensity: int, n_mature: int) -> str:
    log, unknown = LOGS_OF[domain]
    if not n_rows:
        return f"The logs hold no {log} up to {as_of}: they do not say {unknown}."
    if not n_with_propensity:
        return (
            f"None of {n_rows:,} {log} has a propensity, the probability with which it was chosen. Without "
            "chance in what was shown, what another choice would have brought can't be told."
        )
    if not n_mature:
        return (
            f"At the end of {as_of} the rewards of all {n_rows:,} {log} may still arrive: none is older than "
            "night.attribution_hours. Run a later night by --as-of, or set it shorter if the logs hold all "
            "rewards already."
        )
    return ""
