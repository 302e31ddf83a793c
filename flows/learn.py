"""Learn: the marts → one task per segment → candidate policies, with how each of them got there."""

from dataclasses import replace

import duckdb
import polars as pl

from features.contracts.outputs import LearningCurves
from features.tasks.build import DomainTasks, ShopTables, TaskSettings, build_tasks
from features.tasks.files import save_tasks
from features.tasks.segment_table import segment_table
from features.warehouse.store import open_store
from flows.settings import Settings
from flows.threads import limit_threads
from flows.workspace import Night, Workspace, write_json
from offline_rl.artifacts import save_policy
from offline_rl.logged_data import load_tasks, training_device
from offline_rl.meta.learner import Learner, LearningSettings, MetaPolicy
from offline_rl.meta.maml import Maml
from offline_rl.meta.pooled_reward_model import PooledRewardModel
from offline_rl.meta.reinforce import Reinforce
from offline_rl.meta.reptile import Reptile

# The baseline is learned like the others, and first: it is what they must beat.
BASELINE = PooledRewardModel()
LEARNERS: dict[str, Learner] = {
    learner.name: learner for learner in (Maml(), Maml("fomaml", first_order=True), Reptile(), Reinforce())
}

ACTIONS = {
    "recommendation": """
        SELECT item_id, category, brand, price_cents, attributes
        FROM dim_items ORDER BY item_id""",
    "advertising": """
        SELECT action_id AS item_id, any_value(campaign_id) AS campaign, any_value(surface) AS channel,
               CAST(NULL AS VARCHAR) AS attributes
        FROM fct_rounds WHERE domain = 'advertising' GROUP BY action_id ORDER BY action_id""",
}


def learn(workspace: Workspace, night: Night) -> None:
    """Build the tasks of every domain, train every learner on them, and leave both in the work folder."""
    limit_threads(workspace.settings.learning.threads)
    folder = workspace.work(night.run_id)
    segments, curves, notes = [], [], []
    for domain in night.domains:
        tasks = _tasks(workspace, night, domain)
        save_tasks(tasks, folder)
        segments.append(segment_table(tasks, night.run_id, workspace.settings.segments.min_rounds))
        for policy in train(workspace, night, domain):
            save_policy(policy, folder / "policies" / domain)
            curves.append(_curve(policy, night.run_id, domain))
            notes += [f"{domain}, {policy.name}: {note}" for note in policy.notes]
    pl.concat(segments).write_parquet(folder / "out_segment_tasks.parquet")
    pl.concat(curves).write_parquet(folder / "out_learning_curves.parquet")
    write_json(folder / "learning.json", {"device": str(training_device()), "notes": notes})


def train(workspace: Workspace, night: Night, domain: str) -> list[MetaPolicy]:
    """Train the baseline and the learners of the configuration, in this order."""
    settings = workspace.settings.learning
    tasks = load_tasks(workspace.work(night.run_id) / f"rounds_{domain}.npz")
    how = LearningSettings(
        hidden=settings.hidden,
        inner_lr=settings.inner_lr,
        inner_steps=settings.inner_steps,
        outer_lr=settings.outer_lr,
        max_steps=settings.max_steps,
    )
    learners = [BASELINE, *(LEARNERS[name] for name in settings.learners)]
    return [learner.meta_train(tasks, how, workspace.settings.night.seed) for learner in learners]


def _tasks(workspace: Workspace, night: Night, domain: str) -> DomainTasks:
    with open_store(workspace.warehouse) as connection:
        tables = _shop_tables(connection, domain)
    return build_tasks(tables, _task_settings(workspace.settings, domain), night.as_of)


def _shop_tables(connection: duckdb.DuckDBPyConnection, domain: str) -> ShopTables:
    rounds = connection.sql(
        "FROM fct_rounds WHERE domain = $domain ORDER BY decided_at, round_id", params={"domain": domain}
    ).pl()
    return ShopTables(
        domain=domain,
        rounds=rounds.drop("domain", "is_mature"),
        users=connection.sql("FROM dim_users ORDER BY user_key").pl(),
        items=connection.sql(ACTIONS[domain]).pl(),
        candidate_sets=connection.sql("SELECT candidate_set_id, item_id FROM stg_candidate_sets").pl(),
        context_keys=_keys(connection, "fct_rounds", "context"),
        user_keys=_keys(connection, "dim_users", "attributes"),
        item_keys=_keys(connection, "dim_items", "attributes") if domain == "recommendation" else (),
    )


def _keys(connection: duckdb.DuckDBPyConnection, table: str, column: str) -> tuple[str, ...]:
    """Return the names inside a JSON object column, sorted."""
    rows = connection.sql(f"SELECT DISTINCT unnest(json_keys({column})) FROM {table} ORDER BY 1").fetchall()
    return tuple(name for (name,) in rows)


def _task_settings(settings: Settings, domain: str) -> TaskSettings:
    tasks = TaskSettings(
        reward=settings.night.reward,
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
    )
    # Ad servers log no policy version, so every ad impression with a propensity is evidence.
    return tasks if domain == "recommendation" else replace(tasks, evidence_policies=(), incumbent_policy="")


def _curve(policy: MetaPolicy, run_id: str, domain: str) -> pl.DataFrame:
    points = [
        {
            "run_id": run_id,
            "domain": domain,
            "learner": policy.name,
            "step": point.step,
            "loss": point.loss,
            "validation_value": point.validation_value,
            "zero_shot_value": point.zero_shot_value,
            "seconds": point.seconds,
        }
        for point in policy.curve
    ]
    frame = pl.DataFrame(points).with_columns(pl.col("loss").fill_nan(None))
    return LearningCurves.validate(frame, cast=True)
