"""Divisible: whether rounds can be divided into windows to learn from, to choose on and to judge by.

It is asked at ingest, because nothing is learned or judged without all three. A first night may have one day,
days that are fewer than rewards take to arrive, or one user whose rounds have no times.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

import duckdb

from features.areas import area_of
from features.codes import Window
from features.contracts.findings import Finding, finding
from features.tasks.evidence import mark_evidence
from flows.settings import Settings
from flows.stages.task_settings import task_settings

_WINDOWS = frozenset({Window.SUPPORT, Window.QUERY, Window.HOLDOUT})


@dataclass(frozen=True)
class Undivided:
    """Domain → why nothing is learned in it. Where acts are known, lists serve unproven; else nothing."""

    undecided: Mapping[str, Finding]
    unproven: Mapping[str, Finding]

    @property
    def all(self) -> frozenset[str]:
        """All domains whose rounds can't be divided."""
        return frozenset({*self.undecided, *self.unproven})


def undivided_domains(
    connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: date, logged: Collection[str]
) -> Undivided:
    """Return which domains with logged propensities have rounds that can't be divided into three windows.

    Raises InputDataError if no round of a domain is evidence.
    """
    undecided, unproven = {}, {}
    for domain in logged:
        columns = "round_id, decided_at, user_key, propensity, policy_version"
        rounds = connection.sql(
            f"SELECT {columns} FROM fct_rounds WHERE domain = $domain", params={"domain": domain}
        ).pl()
        marked, _ = mark_evidence(rounds, task_settings(settings, domain), as_of, domain)
        evidence = marked.filter("is_evidence")
        if set(evidence["window"].unique()) >= _WINDOWS:
            continue
        numbers = {"n_rows": evidence.height, "n_hours": settings.night.attribution_hours}
        if _has_acts(connection, domain):
            unproven[domain] = finding("acts_beside_undivided_rounds", domain, **numbers)
        else:
            undecided[domain] = finding("undivided_rounds", domain, **numbers)
    return Undivided(undecided, unproven)


def _has_acts(connection: duckdb.DuckDBPyConnection, domain: str) -> bool:
    acts = area_of(domain).acts
    return bool(acts and connection.execute(f"SELECT 1 FROM {acts} LIMIT 1").fetchone())
