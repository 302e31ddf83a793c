"""Decide: the champion's slates and creatives for tomorrow, and the ad budget."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from features.codes import Window
from features.warehouse.store import open_store
from flows.contenders import adapted, incumbent_policies
from flows.night_folder import Night, NightFolder
from flows.settings import Settings
from flows.threads import limit_threads
from flows.workspace import Workspace
from offline_rl.decisions.advertising import ad_targeting
from offline_rl.decisions.budget import BudgetTables, budget_tables
from offline_rl.decisions.budget_settings import BudgetSettings
from offline_rl.decisions.item_scores import ItemScores, count_rewards, item_scores
from offline_rl.decisions.recommendation import Serving, SlateChances, recommend
from offline_rl.decisions.segment_distributions import segment_distributions
from offline_rl.decisions.served_policy import FallbackLevel, ServedPolicy, continued, kept, promoted
from offline_rl.decisions.targets import DecisionTargets
from offline_rl.logged_data import Tasks
from offline_rl.policies.exploration import explored_marginals
from offline_rl.policies.policy import Policy
from offline_rl.policies.shares import log_shares
from offline_rl.serving import SegmentPolicies

SPEND = "FROM fct_ad_spend ORDER BY ALL"


@dataclass(frozen=True)
class Tomorrow:
    """A domain on the eve of its decisions: whom to serve, and which policy answers in each segment.

    served: what rows say of each segment's policy.
    """

    tasks: Tasks
    targets: DecisionTargets
    policies: SegmentPolicies
    served: tuple[ServedPolicy, ...]

    def chances(self, chosen: NDArray[np.int64]) -> SlateChances:
        """Return what the slates of the chosen targets are drawn from, averaged over each target's contexts.

        Probabilities are averaged, slot by slot, in logs: the second choice of a greedy policy counts.
        """
        targets = self.targets
        first = np.searchsorted(targets.target_of_context, chosen, side="left")
        last = np.searchsorted(targets.target_of_context, chosen, side="right")
        n_contexts = last - first
        rows = torch.from_numpy(np.concatenate([np.arange(*ends) for ends in zip(first, last, strict=True)]))
        owner = torch.from_numpy(np.repeat(chosen, n_contexts))
        rounds = self.tasks.rounds
        drawn = self.policies.draws(
            targets.context[rows],
            targets.segment[owner],
            rounds.available[targets.set_index[owner]],
            rounds.item_features,
            rounds.n_slots,
            history=targets.history.select(rows) if targets.history is not None else None,
        )
        starts = n_contexts.cumsum() - n_contexts
        summed = np.logaddexp.reduceat(log_shares(drawn).numpy(), starts, axis=0)
        asked = torch.tensor(chosen)
        return SlateChances(
            logits=torch.from_numpy(summed - np.log(n_contexts)[:, None, None]),
            available=rounds.available[targets.set_index[asked]],
            exploration=self.policies.exploration_of(targets.segment[asked]),
        )

    def scores(self) -> ItemScores:
        """Return the expected reward of each action in each segment, from all rounds of a window.

        The gaps stay out: in the last of them rewards still arrive: an unclicked round may be a click.
        """
        rounds = self.tasks.rounds.select(self.tasks.window_code != Window.GAP)
        counts = count_rewards(
            rounds.segment.numpy(),
            rounds.action.numpy(),
            rounds.reward.numpy(),
            n_segments=self.tasks.n_segments,
            n_items=rounds.n_actions,
        )
        return item_scores(counts)


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
    tasks = folder.tasks(domain)
    policies, served = _who_serves(folder, domain, tasks, settings)
    return Tomorrow(tasks, folder.targets(domain, tasks), policies, served)


def _who_serves(
    folder: NightFolder, domain: str, tasks: Tasks, settings: Settings
) -> tuple[SegmentPolicies, tuple[ServedPolicy, ...]]:
    """Put the champion in every segment it may serve and the shop's own policy in the others."""
    champion, own = folder.champion(domain), incumbent_policies(tasks)
    own_version = settings.night.incumbent_policy or "logging"
    if champion.verdict == "promote":
        learned = folder.policy(domain, champion.champion)
    else:
        stays = continued(own_version, "baseline", champion.verdict, champion.reasons)
        return own, (stays,) * tasks.n_segments
    policies = adapted(learned, tasks.window("training"), settings.learning.exploration)
    by_segment: dict[int, Policy] = dict(policies.by_segment)
    served = []
    for segment, segment_id in enumerate(tasks.segment_ids):
        if stays_here := champion.kept_from.get(segment_id):
            by_segment[segment] = own.by_segment[segment]
            served.append(kept(own_version, "baseline", stays_here.word, stays_here.reason))
            continue
        support = tasks.window("training", [segment])
        is_adapted = learned.adapts and support.n > 0 and learned.refusal(support) is None
        level: FallbackLevel = "segment" if is_adapted else "pooled"
        served.append(promoted(f"{learned.name}-{folder.run_id}", level, champion.reasons))
    places = frozenset(tasks.segment_ids.index(segment_id) for segment_id in champion.kept_from)
    return replace(policies, by_segment=by_segment, without_exploration=places), tuple(served)


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
    """Average the creatives' probabilities over the users of each segment, per channel and campaign."""
    targets = tomorrow.targets.rows.with_row_index("target")
    cells = targets.select("surface", "campaign_id").unique().sort("surface", "campaign_id")
    segment_ids, creative_ids = tomorrow.tasks.segment_ids, tomorrow.tasks.action_ids
    probabilities = np.zeros((len(segment_ids), cells.height, len(creative_ids)))
    campaigns = dict.fromkeys(creative_ids, "")
    for place, (channel, campaign) in enumerate(cells.iter_rows()):
        members = targets.filter(surface=channel, campaign_id=campaign)
        rows = members["target"].to_numpy().astype(np.int64)
        chances = tomorrow.chances(rows)
        drawn = explored_marginals(chances.logits, chances.available, chances.exploration)[:, 0].numpy()
        of_segment = tomorrow.targets.segment.numpy()[rows]
        for segment in np.unique(of_segment):
            probabilities[segment, place] = drawn[of_segment == segment].mean(axis=0)
        for creative in np.flatnonzero(drawn.sum(axis=0)):
            campaigns[creative_ids[creative]] = campaign
    return ad_targeting(
        probabilities,
        tomorrow.scores().mean,
        _effective_rounds(folder, segment_ids),
        segment_ids=segment_ids,
        channels=cells["surface"].to_list(),
        campaign_ids=list(campaigns.values()),
        creative_ids=creative_ids,
        policies=tomorrow.served,
        run_id=folder.run_id,
    )


def _effective_rounds(folder: NightFolder, segment_ids: Sequence[str]) -> NDArray[np.float64]:
    """Return the effective sample size behind the champion in each segment, 0 where it was not evaluated."""
    champion = folder.champion("advertising").champion
    values = folder.table("out_policy_values").filter(domain="advertising", policy=champion, estimator="dr")
    found = dict(values.select("segment_id", "ess").iter_rows())
    return np.array([found.get(segment_id, 0.0) for segment_id in segment_ids])
