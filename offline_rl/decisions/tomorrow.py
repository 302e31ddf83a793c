"""Tomorrow: whom a domain serves, by which policy in each segment, and what their slates are drawn from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from features.contracts.findings import Finding
from features.contracts.policy_versions import version_of
from offline_rl.champions.layers import Layer, answering, of_tonight
from offline_rl.champions.standing import Today, contexts_of
from offline_rl.decision_targets import DecisionTargets
from offline_rl.decisions.item_scores import ItemScores, count_rewards, item_scores
from offline_rl.decisions.money_scores import count_amounts, money_scores
from offline_rl.decisions.night import DecisionNight
from offline_rl.decisions.served_policy import (
    EvidenceLevel,
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
from offline_rl.serving import SegmentPolicies


@dataclass(frozen=True, eq=False)
class _Contexts:
    """The contexts of m targets, those of one target one after another.

    rows: int64[c], places among all contexts. target: int64[c], of each. starts, lengths: int64[m].
    """

    rows: Tensor
    target: Tensor
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]


def _contexts_of(targets: DecisionTargets, chosen: NDArray[np.int64]) -> _Contexts:
    first = np.searchsorted(targets.target_of_context, chosen, side="left")
    last = np.searchsorted(targets.target_of_context, chosen, side="right")
    lengths = last - first
    rows = np.concatenate([np.arange(*ends) for ends in zip(first, last, strict=True)])
    target = torch.tensor(np.repeat(chosen, lengths))
    return _Contexts(torch.from_numpy(rows), target, lengths.cumsum() - lengths, lengths)


@dataclass(frozen=True)
class Tomorrow:
    """A domain before its decisions.

    targets: whom to serve. layers: the policies that answer, each with tomorrow's contexts as it reads them.
    served: what rows of each segment say of it. challenger: the policy that draws half of the exploring
    slates; None where these are uniform.
    """

    tasks: Tasks
    targets: DecisionTargets
    layers: tuple[Layer, ...]
    served: tuple[ServedPolicy, ...]
    challenger: Layer | None = None

    def chances(self, chosen: NDArray[np.int64]) -> SlateChances:
        """Return what the slates of the chosen targets are drawn from, averaged over each target's contexts.

        Probabilities are averaged, slot by slot, in logs: the second choice of a greedy policy counts.
        """
        contexts = _contexts_of(self.targets, chosen)
        available = self.tasks.rounds.available[self.targets.set_index[torch.tensor(chosen)]]
        logits, exploration = self._averaged(self.layers, contexts)
        directed = None if self.challenger is None else self._averaged((self.challenger,), contexts)[0]
        return SlateChances(logits, available, exploration, directed)

    def _averaged(self, layers: Sequence[Layer], contexts: _Contexts) -> tuple[Tensor, Tensor]:
        """Return the logits of targets, [m, L, A], and their shares of exploration, [m]."""
        rounds, rows = self.tasks.rounds, contexts.rows
        available = rounds.available[self.targets.set_index[contexts.target]]
        logits = torch.empty(len(rows), rounds.n_slots, rounds.n_actions, dtype=torch.float64)
        exploration = torch.empty(len(rows), dtype=torch.float64)
        read = [known for layer in layers if (known := layer.tomorrow) is not None]
        for layer, mine in answering(layers, [known.segment[rows] for known in read]):
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
        summed = np.logaddexp.reduceat(log_shares(logits).numpy(), contexts.starts, axis=0)
        return (
            torch.from_numpy(summed - np.log(contexts.lengths)[:, None, None]),
            torch.from_numpy(np.add.reduceat(exploration.numpy(), contexts.starts) / contexts.lengths),
        )

    def scores(self) -> ItemScores:
        """Return the expected reward of a round of each action in each segment, from all rounds of a window.

        Rounds whose rewards still arrive stay out: one that was not clicked may be a click.
        """
        rounds = self.tasks.window("known")
        columns = rounds.segment.numpy(), rounds.action.numpy(), rounds.reward.numpy()
        n_segments, n_items = self.tasks.n_segments, rounds.n_actions
        if has_binary_rewards(rounds.reward):
            return item_scores(count_rewards(*columns, n_segments=n_segments, n_items=n_items))
        return money_scores(count_amounts(*columns, n_segments=n_segments, n_items=n_items))


def tomorrow_of(night: DecisionNight, *, draws_lists: bool = False) -> Tomorrow:
    """Read an area of policies before its decisions: the champion serves.

    draws_lists: whether a slate is drawn for every user. Then the shop's own policy explores too, under a
    version of the night's: the table says what the shop's own would show, and its log says how likely.
    """
    folder, area = night.folder, night.area
    tasks, champion = folder.tasks(area), folder.champion(area)
    targets = folder.targets(area, tasks)
    today = Today(tasks, night.exploration, folder.standing(area))
    if champion.refitted:
        learned = folder.last_fit(area, champion.refitted)
        left = today.left_by_champion()
        layers = today.after(learned, left, targets, is_refit=True)
        level = _level_of_today(today, night)
        return Tomorrow(tasks, targets, layers, _refitted(tasks, champion, learned, night, level))
    if champion.verdict != "promote":
        challenger = None
        layers = today.layers(targets)
        if today.standing is None and (draws_lists or night.evidence_level == "estimated"):
            [own] = layers
            layers = (replace(own, policies=replace(own.policies, exploration=night.exploration)),)
            challenger = _challenger(night, champion, tasks, targets) if draws_lists else None
        stays = continued(
            *_today_in_rows(today, night, draws_lists=draws_lists),
            champion.candidate,
            champion.verdict,
            champion.reasons,
            evidence_level=_level_of_today(today, night),
        )
        return Tomorrow(tasks, targets, layers, (stays,) * tasks.n_segments, challenger)
    learned = folder.last_fit(area, champion.champion)
    layers = today.after(learned, left_segments(champion, tasks.segment_ids), targets)
    return Tomorrow(tasks, targets, layers, _by_segment(tasks, champion, learned, today, night))


def _challenger(
    night: DecisionNight, champion: Champion, tasks: Tasks, targets: DecisionTargets
) -> Layer | None:
    """Return the policy that asked to serve; None where nothing explores, or it is shown to be worse."""
    if champion.verdict == "reject" or not night.exploration:
        return None
    learned = night.folder.last_fit(night.area, champion.candidate)
    policies = SegmentPolicies.adapted(learned, tasks.window("known"), 0.0)
    return of_tonight(policies, tasks.rounds, tomorrow=contexts_of(targets))


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
        level = level_in(tasks, learned, segment)
        served.append(promoted(version, level, champion.candidate, champion.reasons))
    return tuple(served)


def _refitted(
    tasks: Tasks, champion: Champion, learned: MetaPolicy, night: DecisionNight, evidence_level: EvidenceLevel
) -> tuple[ServedPolicy, ...]:
    """Return what rows of each segment say: the champion serves, learned anew."""
    assert champion.verdict != "promote"
    version = version_of(learned.name, night.folder.run_id)
    anew = Finding("champion_refitted", learned.name)
    return tuple(
        continued(
            version,
            level_in(tasks, learned, segment),
            champion.candidate,
            champion.verdict,
            (*champion.reasons, anew),
            evidence_level=evidence_level,
        )
        for segment in range(tasks.n_segments)
    )


def level_in(tasks: Tasks, learned: MetaPolicy, segment: int) -> FallbackLevel:
    """Return whether a policy that was learned tonight has one of its own in a segment."""
    support = tasks.window("known", [segment])
    is_adapted = learned.adapts and support.n > 0 and learned.refusal(support) is None
    return "segment" if is_adapted else "pooled"


def _level_of_today(today: Today, night: DecisionNight) -> EvidenceLevel:
    """Return what the policy that serves today stands on.

    Only logged propensities and experiments promote, also where tonight's propensities are estimated.
    """
    if today.standing is None:
        return night.evidence_level
    return "experiment" if today.standing.by_experiment else "logged"


def _today_in_rows(
    today: Today, night: DecisionNight, *, draws_lists: bool = False
) -> tuple[str, FallbackLevel]:
    """Return the version and the level of what serves today."""
    if today.standing is None:
        own = version_of(night.own_version, night.folder.run_id) if draws_lists else night.own_version
        return own, "baseline"
    return today.standing.policy_version, "segment" if today.standing.is_adapted else "pooled"
