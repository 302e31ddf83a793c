"""Evidence: which rounds may teach or judge, and in which time window each of them lies."""

from datetime import date, timedelta

import polars as pl

from features.errors import InputDataError
from features.tasks.settings import TaskSettings
from features.tasks.windows import Boundaries, assign_windows, fit_boundaries


def mark_evidence(
    rounds: pl.DataFrame, settings: TaskSettings, as_of: date, domain: str
) -> tuple[pl.DataFrame, Boundaries]:
    """Return the rounds with the columns is_evidence and window, and the boundaries of the windows.

    rounds: decided_at, propensity, policy_version, ... Evidence has a logged propensity and was served by
    an evidence policy; the boundaries are placed by its times.
    Raises InputDataError if no round is evidence, or none is old enough for its reward to be known.
    """
    is_evidence = pl.col("propensity").is_not_null()
    if settings.evidence_policies:
        is_evidence &= pl.col("policy_version").is_in(settings.evidence_policies)
    rounds = rounds.with_columns(is_evidence.alias("is_evidence"))
    evidence_times = rounds.filter("is_evidence")["decided_at"]
    if evidence_times.is_empty():
        raise InputDataError(
            f"{domain}: none of {rounds.height} rounds has a logged propensity under the evidence policies "
            f"({', '.join(settings.evidence_policies) or 'any'}). Log the probability of each shown item, or "
            "correct night.evidence_policies."
        )
    gap = timedelta(hours=settings.attribution_hours)
    try:
        boundaries = fit_boundaries(evidence_times, as_of, gap, settings.support_share, settings.query_share)
    except ValueError as error:
        raise InputDataError(f"{domain}: {error}") from error
    return rounds.with_columns(assign_windows(rounds["decided_at"], boundaries)), boundaries
