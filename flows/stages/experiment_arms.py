"""What both arms of an experiment have earned so far, from the rounds of their users in the warehouse."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from features.areas import area_of
from features.contracts.policy_versions import RUN_ID, policy_of
from features.tasks.windows import night_end
from features.warehouse.store import SQL, open_store
from flows.night_folder import Night
from flows.standing import RunningExperiment
from flows.workspace import Workspace
from offline_rl.decisions.recommendation.arms import in_candidate_arm
from offline_rl.experiments.group_sequential import boundaries, chance_of_winning
from offline_rl.experiments.readout import ArmSums, Readout, read_out
from offline_rl.experiments.tonight import experiment_id
from offline_rl.ope.trust.error_spending import confidence_of_look


@dataclass(frozen=True, eq=False)
class EarnedSoFar:
    """What both arms have earned, with tonight's interval.

    chance: that the candidate wins in the days that are left, None where there is no interval. served_share:
    of the candidate arm's rounds that a candidate served, None without any.
    """

    readout: Readout
    chance: float | None
    served_share: float | None


def earned_so_far(workspace: Workspace, night: Night, area: str, running: RunningExperiment) -> EarnedSoFar:
    """Read an experiment that runs out; those against the same champion share their error as looks do."""
    settings, experiments = workspace.settings, night.champions.experiments_of(area)
    by_day = _users_by_day(workspace, night, area, running)
    users = by_day.group_by("user_key", "is_candidate", maintain_order=True).agg(
        pl.col("n_rounds", "reward", "n_served").sum()
    )
    arms = [
        ArmSums(of_arm["n_rounds"].to_numpy(), of_arm["reward"].to_numpy())
        for of_arm in (users.filter("is_candidate"), users.filter(~pl.col("is_candidate")))
    ]
    confidence = confidence_of_look(len(experiments.tried), settings.evaluation.confidence)
    started_on = date.fromisoformat(running.started_on)
    known = _information(by_day, started_on, (night.as_of - started_on).days)
    half_width = boundaries(known, running.max_days, confidence)[-1]
    readout = read_out(
        *arms,
        standard_errors=half_width,
        confidence=confidence,
        min_users=settings.experiment.min_users_per_arm,
    )
    chance = None
    if readout.is_known and readout.upper > readout.lower:
        lead = readout.difference / ((readout.upper - readout.lower) / 2.0 / half_width)
        chance = chance_of_winning(lead, known, running.max_days, confidence)
    n_served = int(users.filter("is_candidate")["n_served"].sum())
    return EarnedSoFar(readout, chance, n_served / arms[0].total_rounds if arms[0].n_users else None)


def _users_by_day(workspace: Workspace, night: Night, area: str, running: RunningExperiment) -> pl.DataFrame:
    """Return user_key, day, n_rounds, reward, n_served and is_candidate, of days with known rewards."""
    of_night = workspace.settings.night
    reward = of_night.counted.in_sql(area_of(area).rewards)
    query = (SQL / "queries" / "experiment_users.sql").read_text().replace("reward_column", reward)
    asked = {
        "area": area,
        "started_on": date.fromisoformat(running.started_on),
        "known_until": (night_end(night.as_of) - timedelta(hours=of_night.attribution_hours)).date(),
        "versions": f"{re.escape(policy_of(running.policy_version))}-{RUN_ID}",
    }
    with open_store(workspace.warehouse) as connection:
        by_day: pl.DataFrame = connection.sql(query, params=asked).pl()
    users = by_day["user_key"].unique().sort()
    assigned = in_candidate_arm(users.to_list(), experiment_id(area, running.policy_version), running.share)
    of_candidate = users.filter(pl.Series(assigned)).to_list()
    return by_day.with_columns(is_candidate=pl.col("user_key").is_in(of_candidate))


def _information(by_day: pl.DataFrame, started_on: date, day: int) -> list[float]:
    """Return 1 / (1/n + 1/m) of the rounds of both arms after each day since it started until this one.

    by_day: of `_users_by_day`. Each day is a look of its own, on the night when its rewards are known; the
    last days, whose rewards still arrive, have spent nothing yet.
    """
    days = [started_on + timedelta(days=since) for since in range(1, day + 1)]
    so_far = [
        pl.DataFrame({"day": days})
        .join(of_arm.group_by("day").agg(pl.col("n_rounds").sum()), on="day", how="left")["n_rounds"]
        .fill_null(0)
        .cum_sum()
        .to_list()
        for of_arm in (by_day.filter("is_candidate"), by_day.filter(~pl.col("is_candidate")))
    ]
    return [n * m / (n + m) if n + m else 0.0 for n, m in zip(*so_far, strict=True)]
