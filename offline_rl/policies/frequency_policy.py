"""Frequency policy, of the shop today: the share of each item in each slot of a segment.

It is the incumbent that keeps serving where no candidate was promoted.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from offline_rl.policies.policy import LogitPolicy
from offline_rl.user_history import UserHistory


def smoothed_shares(counts: Tensor, strength: float) -> Tensor:
    """Return item shares per segment and slot, drawn towards the shares of all segments, float64 [G, L, A].

    share[g, l, a] = (counts[g, l, a] + strength · pooled[l, a]) / (sum_a counts[g, l, a] + strength)

    the posterior mean under a Dirichlet prior worth `strength` rounds; pooled[l, a] is the share over all
    segments, uniform where slot l was never filled.

    counts: [G, L, A], rounds in which the shop showed item a in slot l to segment g.
    Raises ValueError for negative counts or a strength that is not positive.

    Pooled shares are 3/4 and 1/4; the second segment was never seen and takes them as they are.

    >>> smoothed_shares(torch.tensor([[[3.0, 1.0]], [[0.0, 0.0]]]), strength=4.0).tolist()
    [[[0.75, 0.25]], [[0.75, 0.25]]]
    """
    if counts.ndim != 3 or not bool((counts >= 0).all()):
        raise ValueError("Counts of shown items must be [segments, slots, items] and not negative.")
    if not strength > 0:
        raise ValueError(f"The smoothing strength is {strength} rounds: it must be above zero.")
    counts = counts.double()
    per_slot = counts.sum(0)
    rounds = per_slot.sum(-1, keepdim=True)
    uniform = torch.full_like(per_slot, 1.0 / counts.shape[-1])
    pooled = torch.where(rounds > 0, per_slot / rounds.clamp(min=1.0), uniform)
    return (counts + strength * pooled) / (counts.sum(-1, keepdim=True) + strength)


@dataclass(frozen=True)
class FrequencyPolicy(LogitPolicy):
    """The incumbent of one segment: each slot's item shares, whatever the context.

    shares: [L, A], one segment of `smoothed_shares`.

    The shares are what was *seen* in a slot. Filling a slate from them without replacement
    (`plackett_luce`) moves later slots a little away from them: an item placed above is not placed again.
    """

    shares: Tensor
    name: str = "incumbent"

    def action_logits(
        self,
        context: Tensor,  # noqa: ARG002 (the incumbent's record doesn't depend on it)
        slot: Tensor,
        item_features: Tensor,  # noqa: ARG002 (nor on this: items are known by index)
        available: Tensor,
        history: UserHistory | None = None,  # noqa: ARG002 (nor on who it is)
    ) -> Tensor:
        """Return the logs of the slot's shares, float64 [n, A]; minus infinity where not available.

        slot: int64 [n], 0 is the first. available: bool [n, A].
        Where the incumbent never showed any available item, these are equally probable. A round with
        nothing available gets minus infinity throughout, and the probability 0 of every item.

        >>> policy = FrequencyPolicy(torch.tensor([[0.5, 0.25, 0.25]], dtype=torch.float64))
        >>> nothing = torch.zeros(1, 0)
        >>> slot, available = torch.tensor([0]), torch.tensor([[False, True, True]])
        >>> policy.action_logits(nothing, slot, nothing, available).exp().tolist()
        [[0.0, 0.25, 0.25]]
        >>> policy.action_probabilities(nothing, slot, nothing, available).tolist()
        [[0.0, 0.5, 0.5]]
        """
        known = self.shares[slot].double() * available
        is_known = known.sum(-1, keepdim=True) > 0
        return torch.where(is_known, known, available.double()).log()
