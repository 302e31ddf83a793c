"""Tomorrow: whom a domain serves, by which policy in each segment, and what their slates are drawn from."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from features.codes import Window
from features.contracts.findings import Finding
from features.contracts.policy_versions import version_of
from offline_rl.champions.layers import Layer, answering
from offline_rl.champions.standing import Today
from offline_rl.decision_targets import DecisionTargets
from offline_rl.decisions.item_scores import ItemScores, count_rewards, item_scores
from offline_rl.decisions.money_scores import count_amounts, money_scores
from offline_rl.decisions.night import DecisionNight
from offline_rl.decisions.served_policy import (
    FallbackLevel,
    ServedPolicy,
    continued,
    kept,
    promoted,
)
from offline_rl.decisions.slate_chances import SlateChances
from offline_rl.logged_data import Tasks
from offline_rl.meta.meta_policy import MetaPolicy
from offline_rl.policies.shares import log_shares
from offline_rl.registry import Champion, left_segments
from offline_rl.reward_model import has_binary_rewards


@dataclass(frozen=True)
class Tomorrow:
    """A domain before its decisions.

    targets: whom to serve. layers: the policies that answer, each with tomorrow's contexts as it reads them.
    served: what rows of each segment say of it.
    """

    tasks: Tasks
    targets: DecisionTargets
    layers: tuple[Layer, ...]
    served: tuple[ServedPolicy, ...]

    def chances(self, chosen: NDArray[np.int64]) -> SlateChances:
        """Return what the slates of the chosen targets are drawn from, averaged over each target's contexts.

        Probabilities are averaged, slot by slot, in logs: the second choice of a greedy policy counts.
        """
        targets, rounds = self.targets, self.tasks.rounds
        first = np.searchsorted(targets.target_of_context, chosen, side="left")
        last = np.searchsorted(targets.target_of_context, chosen, side="right")
        n_contexts = last - first
        rows = torch.from_numpy(np.concatenate([np.arange(*ends) for ends in zip(first, last, strict=True)]))
        available = rounds.available[targets.set_index[torch.tensor(np.repeat(chosen, n_contexts))]]
        logits = torch.empty(len(rows), rounds.n_slots, rounds.n_actions, dtype=torch.float64)
        exploration = torch.empty(len(rows), dtype=torch.float64)
        read = [known for layer in self.layers if (known := layer.tomorrow) is not None]
        for layer, mine in answering(self.layers, [contexts.segment[rows] for contexts in read]):
            assert layer.tomorrow is not None
            asked = layer.tomorrow.select(rows[mine])
            logits[mine] = layer.policies.slot_logits(
                asked.context,
                asked.segment,
                available[mine],
                rounds.item_features,
                rounds.n_slots,
                history=asked.history,
            )
            exploration[mine] = layer.policies.exploration
        starts = n_contexts.cumsum() - n_contexts
        summed = np.logaddexp.reduceat(log_shares(logits).numpy(), starts, axis=0)
        return SlateChances(
            logits=torch.from_numpy(summed - np.log(n_contexts)[:, None, None]),
            available=rounds.available[targets.set_index[torch.tensor(chosen)]],
            exploration=torch.from_numpy(np.add.reduceat(exploration.numpy(), starts) / n_contexts),
        )

    def scores(self) -> ItemScores:
        """Return the expected reward of a round of each action in each segment, from all rounds of a window.

        The gaps stay out: in the last of them rewards still arrive: an unclicked round may be a click.
        """
        rounds = self.tasks.rounds.select(self.tasks.window_code != Window.GAP)
        columns = rounds.segment.numpy(), rounds.action.numpy(), rounds.reward.numpy()
        n_segments, n_items = self.tasks.n_segments, rounds.n_actions
        if has_binary_rewards(rounds.reward):
            return item_scores(count_rewards(*columns, n_segments=n_segments, n_items=n_items))
        return money_scores(count_amounts(*columns, n_segments=n_segments, n_items=n_items))


def tomorrow_of(night: DecisionNight) -> Tomorrow:
    """Read an area of policies before its decisions: the champion serves."""
    folder, area = night.folder, night.area
    tasks, champion = folder.tasks(area), folder.champion(area)
    targets = folder.targets(area, tasks)
    today = Today(tasks, night.exploration, folder.standing(area))
    if champion.refitted:
        learned = folder.policy(area, champion.refitted)
        left = today.left_by_champion()
        layers = today.after(learned, left, targets, is_refit=True)
        return Tomorrow(tasks, targets, layers, _refitted(tasks, champion, learned, night))
    if champion.verdict != "promote":
        layers = today.layers(targets)
        if night.evidence_level == "estimated" and today.standing is None:
            # The shop's own policy explores too, so that the log of tomorrow has known chances of every item.
            [own] = layers
            layers = (replace(own, policies=replace(own.policies, exploration=night.exploration)),)
        stays = continued(
            *_today_in_rows(today, night),
            champion.candidate,
            champion.verdict,
            champion.reasons,
            evidence_level=night.evidence_level,
        )
        return Tomorrow(tasks, targets, layers, (stays,) * tasks.n_segments)
    learned = folder.policy(area, champion.champion)
    layers = today.after(learned, left_segments(champion, tasks.segment_ids), targets)
    return Tomorrow(tasks, targets, layers, _by_segment(tasks, champion, learned, today, night))


def _by_segment(
    tasks: Tasks, champion: Champion, learned: MetaPolicy, today: Today, night: DecisionNight
) -> tuple[ServedPolicy, ...]:
    """Return what rows of each segment say: the champion serves where nothing else is kept."""
    served = []
    version = version_of(learned.name, night.folder.run_id)
    for segment, segment_id in enumerate(tasks.segment_ids):
        if stays_here := champion.kept_from.get(segment_id):
            served.append(
                kept(*_today_in_rows(today, night), champion.candidate, stays_here.word, stays_here.reason)
            )
            continue
        level = _level(tasks, learned, segment)
        served.append(promoted(version, level, champion.candidate, champion.reasons))
    return tuple(served)


def _refitted(
    tasks: Tasks, champion: Champion, learned: MetaPolicy, night: DecisionNight
) -> tuple[ServedPolicy, ...]:
    """Return what rows of each segment say: the champion serves, learned anew."""
    assert champion.verdict != "promote"
    version = version_of(learned.name, night.folder.run_id)
    anew = Finding("champion_refitted", learned.name)
    return tuple(
        continued(
            version,
            _level(tasks, learned, segment),
            champion.candidate,
            champion.verdict,
            (*champion.reasons, anew),
            evidence_level=night.evidence_level,
        )
        for segment in range(tasks.n_segments)
    )


def _level(tasks: Tasks, learned: MetaPolicy, segment: int) -> FallbackLevel:
    support = tasks.window("training", [segment])
    is_adapted = learned.adapts and support.n > 0 and learned.refusal(support) is None
    return "segment" if is_adapted else "pooled"


def _today_in_rows(today: Today, night: DecisionNight) -> tuple[str, FallbackLevel]:
    """Return the version and the level of what serves today."""
    if today.standing is None:
        return night.own_version, "baseline"
    return today.standing.policy_version, "segment" if today.standing.is_adapted else "pooled"
