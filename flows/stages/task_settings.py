"""The settings by which a domain's rounds become tasks, out of the night's configuration."""

from dataclasses import replace
from typing import Literal

from features.areas import area_of
from features.tasks.settings import TaskSettings
from flows.settings import Settings


def task_settings(
    settings: Settings,
    domain: str,
    propensities: Literal["logged", "estimated"] = "logged",
    *,
    tried: tuple[str, ...] = (),
) -> TaskSettings:
    """Return the settings of a domain.

    propensities: what its rounds of evidence have. tried: learners of candidates, which don't serve today.
    """
    tasks = TaskSettings(
        reward=settings.night.counted,
        attribution_hours=settings.night.attribution_hours,
        segments_by=settings.segments.by,
        clusters=settings.segments.clusters,
        min_rounds=settings.segments.min_rounds,
        salt=settings.segments.salt,
        support_share=settings.segments.support_share,
        query_share=settings.segments.query_share,
        evidence_policies=settings.night.evidence_policies,
        incumbent_policy=settings.night.incumbent_policy,
        seed=settings.night.seed,
        propensities=propensities,
        tried_learners=tried,
    )
    # Where a log names no policy, as ad servers' don't, every round is evidence.
    logs_policies = area_of(domain).logs_policies
    return tasks if logs_policies else replace(tasks, evidence_policies=(), incumbent_policy="")
