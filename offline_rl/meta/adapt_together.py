"""Adapting to all segments at once, where a meta-policy can: ten thousand of them then take seconds."""

from typing import Protocol, runtime_checkable

import torch

from offline_rl.logged_data import LoggedRounds
from offline_rl.meta.meta_policy import MetaPolicy
from offline_rl.policies.policy import Policy


@runtime_checkable
class AdaptsTogether(Protocol):
    """A meta-policy whose adaptation to one segment shares nothing with that to another but its prior."""

    def adapt_each(self, rounds: LoggedRounds) -> dict[int, Policy]:
        """Return segment → policy, for every segment that has rounds here."""
        ...


def adapted_to_each(policy: MetaPolicy, rounds: LoggedRounds) -> dict[int, Policy]:
    """Return segment → the policy adapted to its rounds, for every segment that has any."""
    if isinstance(policy, AdaptsTogether):
        return policy.adapt_each(rounds)
    order = torch.argsort(rounds.segment, stable=True)
    segments, count = torch.unique_consecutive(rounds.segment[order], return_counts=True)
    parts = torch.split(order, count.tolist())
    return {
        int(segment): policy.adapt(rounds.select(rows)) for segment, rows in zip(segments, parts, strict=True)
    }
