"""Lists that serve today, where the log can judge policies by now: they go on until a policy is promoted.

A shop that logs back what its lists showed has rounds with propensities, and its policies are judged against
these lists. On a night that promotes nothing, the lists serve again: the average of what they showed would be
worse, since each of them is a user's own.
"""

from collections.abc import Collection
from datetime import date

import duckdb

from features.areas import area_of
from features.contracts.findings import Finding
from flows.night_folder import Night, NightFolder
from flows.registry.standing_champions import night_before
from flows.standing import StandingChampions
from flows.workspace import Workspace


def lists_until_promotion(
    connection: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    as_of: date,
    champions: StandingChampions,
    judged: Collection[str],
) -> dict[str, Finding]:
    """Return domain → that its lists serve, of the domains that are judged by logged propensities.

    The night before has published lists there, and no policy was promoted since.
    """
    before = night_before(workspace, as_of)
    listed = (before.manifest or {}).get("unproven", {}) if before is not None else {}
    return {
        domain: Finding("lists_until_promotion", domain)
        for domain in judged
        if domain in listed
        and not champions.of(domain).policy_version
        and area_of(domain).acts
        and connection.execute(f"SELECT 1 FROM {area_of(domain).acts} LIMIT 1").fetchone()
    }


def still_unproven(folder: NightFolder, night: Night) -> dict[str, Finding]:
    """Return domain → why its lists serve tomorrow: those of the night, less where a policy serves.

    That is one that the night has promoted, or a champion that stands: what promoted it are logged
    propensities, and a later night without them says nothing against it.
    """
    return {
        domain: why
        for domain, why in night.unproven.items()
        if not folder.is_promoted(domain) and not folder.stands(domain)
    }
