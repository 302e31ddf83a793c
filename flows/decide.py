"""Decide: the champion's slates and creatives for tomorrow, and the ad budget."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from features.tasks.windows import Window
from features.warehouse.store import open_store
from flows.contenders import adapted, incumbent_policies, read_contenders
from flows.stages import stage
from flows.threads import limit_threads
from flows.workspace import Night, Workspace, read_json
from offline_rl.decisions.advertising import ad_targeting
from offline_rl.decisions.budget import BudgetTables, budget_tables
from offline_rl.decisions.budget_settings import BudgetSettings
from offline_rl.decisions.item_scores import ItemScores, count_rewards, item_scores
from offline_rl.decisions.recommendation import Serving, SlateChances, recommend
from offline_rl.decisions.segment_distributions import segment_distributions
from offline_rl.decisions.served_policy import FallbackLevel, ServedPolicy, continued, kept, promoted
from offline_rl.logged_data import Tasks, load_tasks
from offline_rl.policies.exploration import explored_marginals
from offline_rl.policies.policy import Policy
from offline_rl.policies.shares import log_shares
from offline_rl.serving import SegmentPolicies
from offline_rl.user_history import UserHistory

SPEND = "FROM fct_ad_spend ORDER BY ALL"


@dataclass(frozen=True)
class Tomorrow:
    """A domain on the eve of its decisions: whom to serve, and which policy answers in each segment.

    targets: user_key, segment_id, surface, campaign_id. context: float32 [m, d], of the target that
    target_of_context [m] says, in the order of the targets. served: what rows say of each segment's policy.
    history: of the user behind each context; None where no log tells.
    """

    names: Mapping[str, Any]
    tasks: Tasks
    targets: pl.DataFrame
    context: Tensor
    target_of_context: NDArray[np.int64]
    target_segment: Tensor
    target_set_index: Tensor
    policies: SegmentPolicies
    served: tuple[ServedPolicy, ...]
    history: UserHistory | None = None

    def chances(self, targets: NDArray[np.int64]) -> SlateChances:
        """Return what the slates of the targets are drawn from, averaged over each target's contexts.

        Probabilities are averaged, slot by slot, in logs: the second choice of a greedy policy counts.
        """
        first = np.searchsorted(self.target_of_context, targets, side="left")
        last = np.searchsorted(self.target_of_context, targets, side="right")
        n_contexts = last - first
        rows = torch.from_numpy(np.concatenate([np.arange(*ends) for ends in zip(first, last, strict=True)]))
        owner = torch.from_numpy(np.repeat(targets, n_contexts))
        rounds = self.tasks.rounds
        drawn = self.policies.draws(
            self.context[rows],
            self.target_segment[owner],
            rounds.available[self.target_set_index[owner]],
            rounds.item_features,
            rounds.n_slots,
            history=self.history.select(rows) if self.history is not None else None,
        )
        starts = n_contexts.cumsum() - n_contexts
        summed = np.logaddexp.reduceat(log_shares(drawn).numpy(), starts, axis=0)
        chosen = torch.tensor(targets)
        return SlateChances(
            logits=torch.from_numpy(summed - np.log(n_contexts)[:, None, None]),
            available=rounds.available[self.target_set_index[chosen]],
            exploration=self.policies.exploration_of(self.target_segment[chosen]),
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
    folder = workspace.work(night.run_id)
    with stage(workspace, night, "decide"):
        if "recommendation" in night.domains:
            tomorrow = _tomorrow(workspace, night, "recommendation")
            if tomorrow.names["has_users"]:
                slates = _recommendations(tomorrow, workspace, night)
                slates.write_parquet(folder / "out_recommendations.parquet")
            else:
                shares = _distributions(tomorrow, workspace, night)
                shares.write_parquet(folder / "out_segment_distributions.parquet")
        if "advertising" in night.domains:
            creatives = _creatives(_tomorrow(workspace, night, "advertising"), night, folder)
            creatives.write_parquet(folder / "out_ad_targeting.parquet")
        if "budget" not in night.undecided:
            budget = _budget(workspace, night)
            budget.allocation.write_parquet(folder / "out_budget_allocation.parquet")
            budget.totals.write_parquet(folder / "out_budget_totals.parquet")
            budget.backtest.write_parquet(folder / "out_budget_backtest.parquet")


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


def _tomorrow(workspace: Workspace, night: Night, domain: str) -> Tomorrow:
    folder = workspace.work(night.run_id)
    path = folder / f"rounds_{domain}.npz"
    names, champion = (
        read_json(folder / f"tasks_{domain}.json"),
        read_json(folder / f"champion_{domain}.json"),
    )
    tasks = load_tasks(path)
    policies, served = _who_serves(workspace, night, tasks, names, champion)
    with np.load(path, allow_pickle=False) as arrays:
        return Tomorrow(
            names=names,
            tasks=tasks,
            targets=pl.read_parquet(folder / f"targets_{domain}.parquet"),
            context=torch.from_numpy(arrays["target_context"]),
            target_of_context=arrays["target_of_context"],
            target_segment=torch.from_numpy(arrays["target_segment"]),
            target_set_index=torch.from_numpy(arrays["target_set_index"]),
            policies=policies,
            served=served,
            history=_history_of_targets(arrays, tasks),
        )


def _history_of_targets(arrays: Mapping[str, NDArray[Any]], tasks: Tasks) -> UserHistory | None:
    """Return the states of the targets' users, in the table of touches that the rounds have."""
    known = tasks.rounds.history
    if known is None or "target_history_state" not in arrays:
        return None
    return replace(known, state=torch.from_numpy(arrays["target_history_state"].astype(np.int64)))


def _who_serves(
    workspace: Workspace,
    night: Night,
    tasks: Tasks,
    names: Mapping[str, Any],
    champion: Mapping[str, Any],
) -> tuple[SegmentPolicies, tuple[ServedPolicy, ...]]:
    """Put the champion in every segment it may serve and the shop's own policy in the others."""
    own = incumbent_policies(tasks)
    own_version = workspace.settings.night.incumbent_policy or "logging"
    if champion["champion"] == champion["incumbent"]:
        stays = continued(own_version, "baseline", champion["verdict"], champion["reasons"])
        return own, (stays,) * tasks.n_segments
    contenders = read_contenders(workspace.work(night.run_id), names["domain"])
    learned = next(policy for policy in contenders.everyone if policy.name == champion["champion"])
    policies = adapted(learned, tasks.window("training"), workspace.settings.learning.exploration)
    by_segment: dict[int, Policy] = dict(policies.by_segment)
    served = []
    for segment, segment_id in enumerate(names["segment_ids"]):
        if segment_id in champion["kept_from"]:
            by_segment[segment] = own.by_segment[segment]
            served.append(kept(own_version, "baseline", *champion["kept_from"][segment_id]))
            continue
        support = tasks.window("training", [segment])
        is_adapted = learned.adapts and support.n > 0 and learned.refusal(support) is None
        level: FallbackLevel = "segment" if is_adapted else "pooled"
        served.append(promoted(f"{learned.name}-{night.run_id}", level, champion["reasons"]))
    kept_places = frozenset(names["segment_ids"].index(segment_id) for segment_id in champion["kept_from"])
    return replace(policies, by_segment=by_segment, without_exploration=kept_places), tuple(served)


def _recommendations(tomorrow: Tomorrow, workspace: Workspace, night: Night) -> pl.DataFrame:
    return recommend(
        tomorrow.targets.select("user_key", "segment_id", "surface"),
        tomorrow.chances,
        _serving(tomorrow, workspace),
        run_id=night.run_id,
        as_of=night.as_of,
        seed=workspace.settings.night.seed,
    )


def _distributions(tomorrow: Tomorrow, workspace: Workspace, night: Night) -> pl.DataFrame:
    return segment_distributions(
        tomorrow.targets.select("segment_id", "surface"),
        tomorrow.chances,
        _serving(tomorrow, workspace),
        run_id=night.run_id,
        as_of=night.as_of,
    )


def _serving(tomorrow: Tomorrow, workspace: Workspace) -> Serving:
    item_ids = tomorrow.names["action_ids"]
    return Serving(
        tomorrow.names["segment_ids"],
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


def _creatives(tomorrow: Tomorrow, night: Night, folder: Path) -> pl.DataFrame:
    """Average the creatives' probabilities over the users of each segment, per channel and campaign."""
    targets = tomorrow.targets.with_row_index("target")
    cells = targets.select("surface", "campaign_id").unique().sort("surface", "campaign_id")
    segment_ids, creative_ids = tomorrow.names["segment_ids"], tomorrow.names["action_ids"]
    probabilities = np.zeros((len(segment_ids), cells.height, len(creative_ids)))
    campaigns = dict.fromkeys(creative_ids, "")
    for place, (channel, campaign) in enumerate(cells.iter_rows()):
        members = targets.filter(surface=channel, campaign_id=campaign)
        rows = members["target"].to_numpy().astype(np.int64)
        chances = tomorrow.chances(rows)
        drawn = explored_marginals(chances.logits, chances.available, chances.exploration)[:, 0].numpy()
        of_segment = tomorrow.target_segment.numpy()[rows]
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
        run_id=night.run_id,
    )


def _effective_rounds(folder: Path, segment_ids: list[str]) -> NDArray[np.float64]:
    """Return the effective sample size behind the champion in each segment, 0 where it was not evaluated."""
    champion = read_json(folder / "champion_advertising.json")["champion"]
    values = pl.read_parquet(folder / "out_policy_values.parquet").filter(
        domain="advertising", policy=champion, estimator="dr"
    )
    found = dict(values.select("segment_id", "ess").iter_rows())
    return np.array([found.get(segment_id, 0.0) for segment_id in segment_ids])
