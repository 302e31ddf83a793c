"""Evidence: the rounds to learn from and to evaluate on, and the window of each of them."""

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from features.codes import Window
from features.contracts.policy_versions import is_given_by_metacart, policy_named
from features.errors import InputDataError
from features.tasks.random_split import BY_ROUND, BY_TIME, BY_USER, dealt, random_origins, random_windows
from features.tasks.settings import TaskSettings
from features.tasks.windows import Boundaries, assign_origins, assign_windows, fit_boundaries
from features.warehouse.log_days import FEWEST_MOMENTS


@dataclass(frozen=True)
class RoundSplit:
    """The boundaries of the windows, and how rounds were assigned to them: by time, user or round."""

    boundaries: Boundaries
    by: str


def mark_evidence(
    rounds: pl.DataFrame, settings: TaskSettings, as_of: date, domain: str
) -> tuple[pl.DataFrame, RoundSplit]:
    """Return the rounds with the columns is_evidence, window and origin, and how they were split.

    rounds: decided_at, propensity, policy_version, ... Evidence has a logged propensity and was served by an
    evidence policy, or by lists that metacart published: these were compared when the round was loaded. The
    boundaries are placed by its times. Where propensities are to be estimated, evidence has none: a policy
    that logs them is another one.

    Rounds of candidates on trial would change what the log says of the policy that serves. As long as the
    others are enough for a segment, they are in no window but the gap, so that only what serves tomorrow
    learns from them; and no evidence where propensities are estimated, of which they know another rule.

    Where all evidence has the same one or two times, as in an experiment's table without times, rounds are
    assigned at random, by user where there are users.
    Raises InputDataError if no round is evidence, or none is old enough to have a known reward.
    """
    has_propensity = pl.col("propensity").is_not_null()
    is_evidence = has_propensity if settings.propensities == "logged" else ~has_propensity
    version = pl.col("policy_version")
    if settings.evidence_policies:
        is_evidence &= version.is_in(settings.evidence_policies) | is_given_by_metacart(version)
    is_tried = is_given_by_metacart(version) & policy_named(version).is_in(settings.tried_learners)
    rounds = rounds.with_columns(
        is_evidence=is_evidence, is_tried=is_evidence & is_tried.fill_null(value=False)
    )
    if rounds.filter("is_evidence", ~pl.col("is_tried")).height < settings.min_rounds:
        rounds = rounds.with_columns(is_tried=pl.lit(value=False))
    elif settings.propensities == "estimated":
        rounds = rounds.with_columns(is_evidence=pl.col("is_evidence") & ~pl.col("is_tried"))
    evidence_times = rounds.filter("is_evidence", ~pl.col("is_tried"))["decided_at"]
    if evidence_times.is_empty():
        raise InputDataError(
            f"{domain}: none of {rounds.height} rounds has a logged propensity under the evidence policies "
            f"({_named(settings.evidence_policies)}). Log the probability of each shown item, or correct "
            "night.evidence_policies."
        )
    gap = timedelta(hours=settings.attribution_hours)
    try:
        boundaries = fit_boundaries(evidence_times, as_of, gap, settings.support_share, settings.query_share)
    except ValueError as error:
        raise InputDataError(f"{domain}: {error}") from error
    if evidence_times.n_unique() < FEWEST_MOMENTS:
        return _dealt_at_random(rounds, settings, boundaries)
    windows = _outside_if_tried(assign_windows(rounds["decided_at"], boundaries), rounds["is_tried"])
    origins = _origins_of_evidence(rounds, windows, gap)
    return rounds.drop("is_tried").with_columns(windows, origins), RoundSplit(boundaries, BY_TIME)


def _named(evidence_policies: tuple[str, ...]) -> str:
    return ", ".join([*evidence_policies, "what metacart publishes"]) if evidence_policies else "any"


def _dealt_at_random(
    rounds: pl.DataFrame, settings: TaskSettings, boundaries: Boundaries
) -> tuple[pl.DataFrame, RoundSplit]:
    number = dealt(rounds, settings.salt)
    is_mature = rounds["decided_at"] < boundaries.closed_at
    windows = random_windows(number, is_mature, settings.support_share, settings.query_share)
    windows = _outside_if_tried(windows, rounds["is_tried"])
    origins = random_origins(number, windows, settings.support_share)
    by = BY_USER if rounds["user_key"].null_count() < rounds.height else BY_ROUND
    return rounds.drop("is_tried").with_columns(windows, origins), RoundSplit(boundaries, by)


def _outside_if_tried(windows: pl.Series, is_tried: pl.Series) -> pl.Series:
    """Return the windows with the rounds of tried policies in the gap, as far as their rewards are known."""
    moved = pl.when(pl.col("is_tried") & (pl.col("window") != Window.OPEN)).then(Window.GAP)
    kept = moved.otherwise(pl.col("window")).cast(pl.Int8).alias("window")
    return pl.DataFrame({"window": windows, "is_tried": is_tried}).select(kept).to_series()


def _origins_of_evidence(rounds: pl.DataFrame, windows: pl.Series, gap: timedelta) -> pl.Series:
    """Place the first origin by the times of evidence alone; other rounds have no origin."""
    numbered = rounds.select("decided_at", "is_evidence", windows).with_row_index("place")
    evidence = numbered.filter("is_evidence")
    origins = assign_origins(evidence["decided_at"], evidence["window"], gap)
    found = evidence.select("place", origins)
    return numbered.join(found, on="place", how="left", maintain_order="left")["origin"]
