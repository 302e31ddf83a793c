"""Arm checks: where a shop ran several policies at once, each one's log must tell what the others earned.

The only test of an off-policy estimate that a real shop can make without a new experiment: the value of one
arm, estimated from another arm's log, stands beside what the arm itself was seen to earn.
"""

from collections.abc import Iterator
from itertools import permutations
from typing import Any

import duckdb
import numpy as np
import polars as pl

from features.contracts.check import check_output
from features.contracts.outputs import ArmChecks
from features.tasks.build import REWARDS
from features.warehouse.store import SQL
from flows.settings import Settings
from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluation import PolicyValue, evaluate
from offline_rl.ope.records import EvaluationRounds, Floats
from offline_rl.ope.slot_distribution import seen_on_days, slot_distribution
from offline_rl.ope.trust.context_dependence import depends_on_context
from offline_rl.ope.trust.verdict import GateSettings, evidence_doubts

# Of a surface that many policies have served, those with the most rounds: each pair costs an evaluation.
MOST_ARMS = 3
MIN_ROUNDS = 1000
ESTIMATOR = "snips"

CONTEXT = (
    "the arm can't be judged: it gives the same item in the same slot other probabilities from one round to "
    "the next ({sudden:.0%} of their variation), so it looks at a context, and its log tells what it shows "
    "on average but not to whom."
)


def arm_checks(connection: duckdb.DuckDBPyConnection, settings: Settings, run_id: str) -> pl.DataFrame:
    """Return one row per surface and pair of arms that served it on the same days; without rows for one arm.

    An arm is what its log shows of it: a distribution of items in each slot (`slot_distribution`), shared on
    each day among what was on sale. Where its propensities show that it looks at more (`depends_on_context`),
    no other log can tell what it would have shown to whom, and the row says so.
    """
    rounds = connection.sql(
        (SQL / "queries" / "arm_rounds.sql").read_text(),
        params={"min_rounds": MIN_ROUNDS, "most_arms": MOST_ARMS},
    ).pl()
    rows = [
        {"run_id": run_id, "domain": "recommendation", "surface": surface, **row}
        for (surface,), on_surface in rounds.group_by("surface", maintain_order=True)
        for row in _surface_checks(on_surface, settings)
    ]
    frame = pl.DataFrame(rows, schema=ArmChecks.create_empty().schema)
    return check_output(frame, ArmChecks)


def _surface_checks(rounds: pl.DataFrame, settings: Settings) -> Iterator[dict[str, Any]]:
    rounds = rounds.with_columns(
        action=pl.col("action_id").rank("dense").cast(pl.Int64) - 1,
        reward=pl.col(REWARDS[settings.night.reward]).cast(pl.Float64),
    )
    for arm, logged_by in permutations(rounds["policy_version"].unique().sort(), 2):
        ours, theirs = (rounds.filter(policy_version=version) for version in (arm, logged_by))
        days = set(ours["decided_date"]) & set(theirs["decided_date"])
        ours, theirs = (log.filter(pl.col("decided_date").is_in(sorted(days))) for log in (ours, theirs))
        if min(ours.height, theirs.height) >= MIN_ROUNDS:
            yield {"policy_version": arm, "logged_by": logged_by, **_check(ours, theirs, settings)}


def _check(ours: pl.DataFrame, theirs: pl.DataFrame, settings: Settings) -> dict[str, Any]:
    evaluation_prob, unsupported_mass = _as_shown_by(ours, theirs)
    estimated, doubts = _value(
        EvaluationRounds(
            reward=theirs["reward"].to_numpy(),
            propensity=theirs["propensity"].to_numpy(),
            evaluation_prob=evaluation_prob,
            cluster=_clusters(theirs),
            segment=np.zeros(theirs.height, np.int64),
            unsupported_mass=unsupported_mass,
        ),
        settings,
    )
    sudden = depends_on_context(*_places(ours), ours["propensity"].to_numpy())
    if sudden is not None:
        doubts = (CONTEXT.format(sudden=sudden), *doubts)
    observed, _ = _value(
        EvaluationRounds.of_logging_policy(
            reward=ours["reward"].to_numpy(),
            propensity=ours["propensity"].to_numpy(),
            cluster=_clusters(ours),
            segment=np.zeros(ours.height, np.int64),
        ),
        settings,
    )
    return {
        "estimator": ESTIMATOR,
        "value": estimated.value,
        "lower": estimated.lower,
        "upper": estimated.upper,
        "observed_value": observed.value,
        "observed_lower": observed.lower,
        "observed_upper": observed.upper,
        "is_covered": estimated.lower <= observed.value <= estimated.upper,
        "is_trusted": not doubts,
        "reasons": " ".join(doubts) or "The log can speak about this arm.",
        "n_rounds": estimated.n_rounds,
        "ess": estimated.ess,
        "mean_weight": estimated.mean_weight,
        "interval_method": estimated.interval_method,
    }


def _as_shown_by(ours: pl.DataFrame, theirs: pl.DataFrame) -> tuple[Floats, Floats]:
    """For their rounds our probability of what they showed, and of all that they never did; both [n]."""
    n_slots = int(max(log["slot"].to_numpy().max() for log in (ours, theirs)))
    n_actions = int(max(log["action"].to_numpy().max() for log in (ours, theirs))) + 1
    shown = slot_distribution(
        *_places(ours), ours["propensity"].to_numpy(), n_slots=n_slots, n_actions=n_actions
    )
    action, slot = _places(theirs)
    days, day = np.unique(pl.concat([ours, theirs])["decided_date"].to_numpy(), return_inverse=True)
    on_sale = seen_on_days(np.r_[_places(ours)[0], action], day, n_days=len(days), n_actions=n_actions)
    # What was on sale differs from day to day: an arm shares the rest of its choices among what is.
    could, day = shown[:, np.newaxis, :] * on_sale, day[ours.height :]
    total = could.sum(axis=2, keepdims=True)
    could = np.divide(could, total, out=np.zeros_like(could), where=total > 0)
    logged = np.zeros(n_actions, bool)
    logged[action] = True
    return could[slot, day, action], 1.0 - could[:, :, logged].sum(axis=2)[slot, day]


def _places(log: pl.DataFrame) -> tuple[Any, Any]:
    return log["action"].to_numpy(), (log["slot"] - 1).to_numpy().astype(np.int64)


def _clusters(log: pl.DataFrame) -> Any:
    # a round without a user is its own cluster
    person = pl.coalesce("user_key", pl.concat_str(pl.lit("\x1f"), pl.int_range(pl.len()).cast(pl.String)))
    return log.select(person.rank("dense").cast(pl.Int64) - 1).to_series().to_numpy()


def _value(rounds: EvaluationRounds, settings: Settings) -> tuple[PolicyValue, tuple[str, ...]]:
    evaluation = evaluate(
        {"the arm": rounds},
        [from_name(ESTIMATOR)],
        n_resamples=settings.evaluation.resamples,
        seed=settings.night.seed,
        confidence=settings.evaluation.confidence,
        cluster_name="users" if len(np.unique(rounds.cluster)) < rounds.n else "rounds",
    )
    gate = GateSettings(
        estimator=ESTIMATOR,
        min_ess=settings.evaluation.min_ess,
        min_supported_share=settings.evaluation.min_supported_share,
    )
    mean_weight = evaluation.mean_weight_interval("the arm", None, gate.mean_weight_confidence)
    doubts = evidence_doubts(
        "the arm", evaluation.diagnostics_of("the arm"), mean_weight, gate, evaluation.cluster_name
    )
    value = next(
        row for row in evaluation.policy_values(settings.evaluation.confidence) if row.segment is None
    )
    return value, doubts
