"""Decide: the champion's slates and creatives for tomorrow, and the ad budget."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.warehouse.store import open_store
from flows.night_folder import Night, NightFolder
from flows.settings import Settings
from flows.workspace import Workspace
from offline_rl.decisions.advertising import ad_targeting
from offline_rl.decisions.budget import BudgetTables, budget_tables
from offline_rl.decisions.budget_settings import BudgetSettings
from offline_rl.decisions.creative_chances import creative_chances
from offline_rl.decisions.recommendation import Serving, recommend
from offline_rl.decisions.segment_distributions import segment_distributions
from offline_rl.decisions.tomorrow import ServingTerms, Tomorrow, who_serves
from offline_rl.device import limit_threads

SPEND = "FROM fct_ad_spend ORDER BY ALL"


def decide(workspace: Workspace, night: Night) -> None:
    """Write tomorrow's slates, creatives and budget into the work folder, each if the shop has its logs."""
    limit_threads(workspace.settings.learning.threads)
    folder = workspace.night_folder(night.run_id)
    with folder.stage("decide"):
        if "recommendation" in night.domains:
            tomorrow = _tomorrow(folder, "recommendation", workspace.settings)
            if folder.names("recommendation").has_users:
                folder.write_table("out_recommendations", _recommendations(tomorrow, workspace, night))
            else:
                folder.write_table("out_segment_distributions", _distributions(tomorrow, workspace, night))
        if "advertising" in night.domains:
            tomorrow = _tomorrow(folder, "advertising", workspace.settings)
            folder.write_table("out_ad_targeting", _creatives(tomorrow, folder))
        if "budget" not in night.undecided:
            budget = _budget(workspace, night)
            folder.write_table("out_budget_allocation", budget.allocation)
            folder.write_table("out_budget_totals", budget.totals)
            folder.write_table("out_budget_backtest", budget.backtest)


def _budget(workspace: Workspace, night: Night) -> BudgetTables:
    with open_store(workspace.warehouse) as connection:
        spend = connection.sql(SPEND).pl()
    budget = workspace.settings.budget
    return budget_tables(
        spend,
        run_id=night.run_id,
        as_of=night.as_of,
        settings=BudgetSettings(
            budget_cents=budget.total_cents, move_limit=budget.move_limit, minimum_days=budget.min_days
        ),
        seed=workspace.settings.night.seed,
    )


def _tomorrow(folder: NightFolder, domain: str, settings: Settings) -> Tomorrow:
    tasks, champion = folder.tasks(domain), folder.champion(domain)
    learned = folder.policy(domain, champion.champion) if champion.verdict == "promote" else None
    own_version = settings.night.incumbent_policy or "logging"
    terms = ServingTerms(own_version, folder.run_id, settings.learning.exploration)
    policies, served = who_serves(tasks, champion, learned, terms)
    return Tomorrow(tasks, folder.targets(domain, tasks), policies, served)


def _recommendations(tomorrow: Tomorrow, workspace: Workspace, night: Night) -> pl.DataFrame:
    return recommend(
        tomorrow.targets.rows.select("user_key", "segment_id", "surface"),
        tomorrow.chances,
        _serving(tomorrow, workspace),
        run_id=night.run_id,
        as_of=night.as_of,
        seed=workspace.settings.night.seed,
    )


def _distributions(tomorrow: Tomorrow, workspace: Workspace, night: Night) -> pl.DataFrame:
    return segment_distributions(
        tomorrow.targets.rows.select("segment_id", "surface"),
        tomorrow.chances,
        _serving(tomorrow, workspace),
        run_id=night.run_id,
        as_of=night.as_of,
    )


def _serving(tomorrow: Tomorrow, workspace: Workspace) -> Serving:
    item_ids = tomorrow.tasks.action_ids
    return Serving(
        tomorrow.tasks.segment_ids,
        item_ids,
        tomorrow.scores(),
        tomorrow.served,
        _item_names(workspace, item_ids),
    )


def _item_names(workspace: Workspace, item_ids: Sequence[str]) -> list[str | None]:
    """Return what the catalog calls each item, so that people read names."""
    with open_store(workspace.warehouse) as connection:
        named = dict(connection.execute("SELECT item_id, name FROM dim_items").fetchall())
    return [named.get(item_id) for item_id in item_ids]


def _creatives(tomorrow: Tomorrow, folder: NightFolder) -> pl.DataFrame:
    segment_ids = tomorrow.tasks.segment_ids
    chances = creative_chances(tomorrow)
    return ad_targeting(
        chances.probabilities,
        tomorrow.scores().mean,
        _effective_rounds(folder, segment_ids),
        segment_ids=segment_ids,
        channels=chances.channels,
        campaign_ids=chances.campaign_ids,
        creative_ids=tomorrow.tasks.action_ids,
        policies=tomorrow.served,
        run_id=folder.run_id,
    )


def _effective_rounds(folder: NightFolder, segment_ids: Sequence[str]) -> NDArray[np.float64]:
    """Return the effective sample size behind the champion in each segment, 0 where it was not evaluated."""
    champion = folder.champion("advertising").champion
    values = folder.table("out_policy_values").filter(domain="advertising", policy=champion, estimator="dr")
    found = dict(values.select("segment_id", "ess").iter_rows())
    return np.array([found.get(segment_id, 0.0) for segment_id in segment_ids])
