"""Arm checks: what each arm of a shop earned, from the log of another (`offline_rl.comparison.arms`)."""

from collections.abc import Iterator
from itertools import permutations
from typing import Any

import duckdb
import numpy as np
import polars as pl

from features.areas import RECOMMENDATION
from features.contracts.check import check_output
from features.contracts.findings import Finding
from features.contracts.outputs import ArmChecks
from features.warehouse.store import SQL
from flows.settings import Settings
from flows.stages.worded import worded, worded_interval
from offline_rl.comparison.arms import ARM, ESTIMATOR, ArmLog, ArmTerms, check_arm
from offline_rl.ope.trust.verdict import GateSettings

# Of a surface that many policies have served, those with the most rounds: each pair costs an evaluation.
MOST_ARMS = 3
MIN_ROUNDS = 1000


def arm_checks(connection: duckdb.DuckDBPyConnection, settings: Settings, run_id: str) -> pl.DataFrame:
    """Return one row per surface and pair of arms that served it on the same days; without rows for one arm.

    Two arms are compared on the days that both served. Where an arm looks at a context, the row says so.
    """
    query = (SQL / "queries" / "arm_rounds.sql").read_text()
    rounds = connection.sql(
        query.replace("reward_column", settings.night.counted.in_sql(RECOMMENDATION.rewards)),
        params={"min_rounds": MIN_ROUNDS, "most_arms": MOST_ARMS},
    ).pl()
    rows = [
        {"run_id": run_id, "domain": RECOMMENDATION.name, "surface": surface, **row}
        for (surface,), on_surface in rounds.group_by("surface", maintain_order=True)
        for row in _surface_checks(on_surface, settings)
    ]
    frame = pl.DataFrame(rows, schema=ArmChecks.create_empty().schema)
    return check_output(frame, ArmChecks)


def _surface_checks(rounds: pl.DataFrame, settings: Settings) -> Iterator[dict[str, Any]]:
    terms = ArmTerms(
        confidence=settings.evaluation.confidence,
        resamples=settings.evaluation.resamples,
        seed=settings.night.seed,
        gate=GateSettings(
            estimator=ESTIMATOR,
            min_ess=settings.evaluation.min_ess,
            min_supported_share=settings.evaluation.min_supported_share,
        ),
    )
    rounds = rounds.with_columns(action=pl.col("action_id").rank("dense").cast(pl.Int64) - 1)
    for arm, logged_by in permutations(rounds["policy_version"].unique().sort(), 2):
        ours, theirs = (rounds.filter(policy_version=version) for version in (arm, logged_by))
        days = set(ours["decided_date"]) & set(theirs["decided_date"])
        ours, theirs = (log.filter(pl.col("decided_date").is_in(sorted(days))) for log in (ours, theirs))
        if min(ours.height, theirs.height) >= MIN_ROUNDS:
            yield {"policy_version": arm, "logged_by": logged_by, **_row(ours, theirs, terms)}


def _row(ours: pl.DataFrame, theirs: pl.DataFrame, terms: ArmTerms) -> dict[str, Any]:
    found = check_arm(_log(ours), _log(theirs), terms)
    estimated, observed = found.estimated, found.observed
    return {
        "estimator": ESTIMATOR,
        "value": estimated.value,
        "lower": estimated.lower,
        "upper": estimated.upper,
        "observed_value": observed.value,
        "observed_lower": observed.lower,
        "observed_upper": observed.upper,
        "is_covered": estimated.lower <= observed.value <= estimated.upper,
        "is_trusted": not found.doubts,
        **worded(found.doubts or [Finding("log_speaks", ARM)]),
        "n_rounds": estimated.n_rounds,
        "ess": estimated.ess,
        "mean_weight": estimated.mean_weight,
        **worded_interval(estimated.interval_findings),
    }


def _log(rounds: pl.DataFrame) -> ArmLog:
    # a round without a user is its own cluster
    person = pl.coalesce("user_key", pl.concat_str(pl.lit("\x1f"), pl.int_range(pl.len()).cast(pl.String)))
    return ArmLog(
        action=rounds["action"].to_numpy(),
        slot=(rounds["slot"] - 1).to_numpy().astype(np.int64),
        reward=rounds["reward"].to_numpy(),
        propensity=rounds["propensity"].to_numpy(),
        day=rounds["decided_date"].to_physical().cast(pl.Int64).to_numpy(),
        cluster=rounds.select(person.rank("dense").cast(pl.Int64) - 1).to_series().to_numpy(),
    )
