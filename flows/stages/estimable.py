"""Estimable: domains whose rounds have no propensities, but left enough to chance to estimate them.

It is asked at ingest, of a sample of the log, because all that follows depends on the answer: such a domain
is learned and evaluated as any other, at the evidence level `estimated`. Where the context foretells nearly
every choice, no estimate exists, at any size of the log.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import duckdb

from features.areas import AREAS
from features.codes import Window
from features.contracts.findings import Finding, finding
from features.tasks.build import build_tasks
from features.tasks.settings import TaskSettings
from features.tasks.tables import read_tables
from flows.settings import Settings
from flows.stages.estimated_propensities import places_of
from flows.stages.task_settings import task_settings
from flows.standing import StandingChampions
from offline_rl.ope.models.choices_of_log import can_be_estimated, estimate_of_sample


@dataclass(frozen=True)
class Estimable:
    """What is known of the rounds without propensities.

    estimated: domain → why its policies are judged by estimated propensities.
    certain: domain → the share of choices that the context foretells, where that is nearly all of them.
    """

    estimated: Mapping[str, Finding] = field(default_factory=dict)
    certain: Mapping[str, float] = field(default_factory=dict)

    def said(self, undecided: Mapping[str, Finding], unproven: Mapping[str, Finding]) -> "Said":
        """Return why nothing is decided, or nothing proved, in the light of this."""
        left = {name: why for name, why in undecided.items() if name not in {*unproven, *self.estimated}}
        return Said(
            {name: self._certain(why, "no_propensities_to_estimate") for name, why in left.items()},
            {name: self._certain(why, "acts_beside_certain_rounds") for name, why in unproven.items()},
        )

    def _certain(self, why: Finding, code: str) -> Finding:
        share = self.certain.get(why.subject)
        if share is None or why.code not in ("no_propensities", "acts_beside_rounds"):
            return why
        return finding(code, why.subject, foreseen_share=share, **why.numbers)


@dataclass(frozen=True)
class Said:
    """Domain → why nothing is decided in it, and why nothing is proved in it."""

    undecided: Mapping[str, Finding]
    unproven: Mapping[str, Finding]


def estimable(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    as_of: date,
    champions: StandingChampions | None = None,
) -> Estimable:
    """Ask the marts of the night which domains can be judged by estimated propensities.

    Rounds with propensities count alone as soon as they are as many as one segment needs
    (`segments.min_rounds`); before that, rounds without are worth more. champions: those that stand, None for
    none. Raises UsageError if a segment trait does not exist.
    """
    estimated, certain = {}, {}
    for area in AREAS:
        if not area.is_learned:
            continue
        tried = (champions or StandingChampions()).tried_beside(area.name)
        asked = task_settings(settings, area.name, "estimated", tried=tried)
        n_rows, n_mature, n_logged = _counts(connection, area.name, asked)
        if n_logged >= asked.min_rounds or n_mature < asked.min_rounds:
            continue
        built = build_tasks(read_tables(connection, area.name, asked, as_of), asked, as_of)
        has_windows = {Window.SUPPORT, Window.QUERY, Window.HOLDOUT} <= set(built.arrays["window"].tolist())
        if not has_windows or not can_be_estimated(built.arrays):
            continue
        found = estimate_of_sample(built.arrays, places_of(built), seed=asked.seed)
        if found.is_identified:
            share = found.foreseen_share
            why = finding("estimated_from_context", area.name, n_rows=n_rows, foreseen_share=share)
            estimated[area.name] = why
        else:
            certain[area.name] = found.foreseen_share
    return Estimable(estimated, certain)


def _counts(
    connection: duckdb.DuckDBPyConnection, domain: str, settings: TaskSettings
) -> tuple[int, int, int]:
    """Count a domain's rounds without propensity, those of them with complete rewards, and such with one."""
    [(n_rows, n_mature, n_logged)] = connection.execute(
        """
        SELECT
            count(*) FILTER (propensity IS NULL),
            count(*) FILTER (propensity IS NULL AND is_mature),
            count(*) FILTER (propensity IS NOT NULL AND is_mature)
        FROM fct_rounds
        WHERE domain = $domain AND (len($policies) = 0 OR policy_version IN (SELECT unnest($policies)))
        """,
        {"domain": domain, "policies": list(settings.evidence_policies)},
    ).fetchall()
    return n_rows, n_mature, n_logged
