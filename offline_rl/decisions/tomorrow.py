"""Tomorrow: whom a domain serves, by which policy in each segment, and what their slates are drawn from."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from features.codes import Window
from offline_rl.decisions.item_scores import ItemScores, count_rewards, item_scores
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
from offline_rl.decisions.targets import DecisionTargets
from offline_rl.incumbent import incumbent_policies
from offline_rl.logged_data import Tasks
from offline_rl.meta.meta_policy import MetaPolicy
from offline_rl.policies.policy import Policy
from offline_rl.policies.shares import log_shares
from offline_rl.registry import Champion
from offline_rl.serving import SegmentPolicies


@dataclass(frozen=True)
class Tomorrow:
    """A domain before its decisions.

    targets: whom to serve. policies: which one answers in each segment. served: what rows say of it.
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
        logits = self.policies.slot_logits(
            targets.context[rows],
            targets.segment[owner],
            rounds.available[targets.set_index[owner]],
            rounds.item_features,
            rounds.n_slots,
            history=targets.history.select(rows) if targets.history is not None else None,
        )
        starts = n_contexts.cumsum() - n_contexts
        summed = np.logaddexp.reduceat(log_shares(logits).numpy(), starts, axis=0)
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


def tomorrow_of(night: DecisionNight) -> Tomorrow:
    """Read an area of policies before its decisions: the champion serves, where one was promoted."""
    folder, area = night.folder, night.area
    tasks, champion = folder.tasks(area), folder.champion(area)
    learned = folder.policy(area, champion.champion) if champion.verdict == "promote" else None
    terms = ServingTerms(night.own_version, folder.run_id, night.exploration, night.evidence_level)
    policies, served = who_serves(tasks, champion, learned, terms)
    return Tomorrow(tasks, folder.targets(area, tasks), policies, served)


@dataclass(frozen=True)
class ServingTerms:
    """What a domain's policies serve under.

    own_version: what to call the shop's own policy. run_id: what to call a learned one by.
    exploration: share of uniform slates of a learned policy; where propensities were estimated, also of the
        shop's own, so that the log of tomorrow has known chances of every item.
    """

    own_version: str
    run_id: str
    exploration: float
    evidence_level: EvidenceLevel = "logged"


def who_serves(
    tasks: Tasks, champion: Champion, learned: MetaPolicy | None, terms: ServingTerms
) -> tuple[SegmentPolicies, tuple[ServedPolicy, ...]]:
    """Put the champion in every segment it may serve and the shop's own policy in the others.

    learned: the policy that was promoted; None where nothing was.
    """
    own = incumbent_policies(tasks)
    if learned is None:
        assert champion.verdict != "promote"
        stays = continued(
            terms.own_version,
            "baseline",
            champion.candidate,
            champion.verdict,
            champion.reasons,
            evidence_level=terms.evidence_level,
        )
        if terms.evidence_level == "estimated":
            own = replace(own, exploration=terms.exploration)
        return own, (stays,) * tasks.n_segments
    policies = SegmentPolicies.adapted(learned, tasks.window("training"), terms.exploration)
    by_segment: dict[int, Policy] = dict(policies.by_segment)
    served = []
    for segment, segment_id in enumerate(tasks.segment_ids):
        if stays_here := champion.kept_from.get(segment_id):
            by_segment[segment] = own.by_segment[segment]
            served.append(
                kept(terms.own_version, "baseline", champion.candidate, stays_here.word, stays_here.reason)
            )
            continue
        support = tasks.window("training", [segment])
        is_adapted = learned.adapts and support.n > 0 and learned.refusal(support) is None
        level: FallbackLevel = "segment" if is_adapted else "pooled"
        served.append(promoted(f"{learned.name}-{terms.run_id}", level, champion.candidate, champion.reasons))
    places = frozenset(tasks.segment_ids.index(segment_id) for segment_id in champion.kept_from)
    return replace(policies, by_segment=by_segment, without_exploration=places), tuple(served)
