"""Slates filled slot by slot without replacement: sampling, and the probability of a slate.

Slot l draws from its own probabilities p_l, restricted to the items not yet placed and renormalized. Where
nothing is left to draw from (fewer available items than slots, or all probability on a placed item) the
slot stays empty. Source: Plackett 1975, "The Analysis of Permutations", with one set of weights per slot.

Slots come as logits, and what is left is measured against the largest logit that is left: however far an item
leads, the slots below it are drawn from the others as if it weren't there.
"""

import torch
from torch import Tensor

from offline_rl.policies.shares import log_shares
from offline_rl.policies.slot_marginals import checked_logits

NOTHING = -1


def slates_at(logits: Tensor, uniforms: Tensor) -> tuple[Tensor, Tensor]:
    """Return the slates that given uniform numbers in [0, 1) select, by inverting each slot's distribution.

    A row depends on its own numbers alone, so a slate can be drawn again later, by itself.

    logits: [n, L, A] as in `slot_marginals`, any L. uniforms: [n, L].
    Returns items int64 [n, L] (-1 for an empty slot) and the natural log of the slate's probability [n].

    Slot 1 takes item 1, since 0.5 <= 0.6 < 0.75. Slot 2 then has 0.5 : 0.25 left and takes item 0.

    >>> p = torch.tensor([[[0.5, 0.25, 0.25], [0.5, 0.25, 0.25]]])
    >>> items, log_probability = slates_at(p.log(), torch.tensor([[0.6, 0.6]]))
    >>> items.tolist(), round(log_probability.exp().item(), 4)
    ([[1, 0]], 0.1667)
    """
    of_slots = checked_logits(logits)
    n_rounds, n_slots, n_items = of_slots.shape
    is_placed = torch.zeros(n_rounds, n_items, dtype=torch.bool, device=of_slots.device)
    items = torch.full((n_rounds, n_slots), NOTHING, dtype=torch.int64, device=of_slots.device)
    log_probability = of_slots.new_zeros(n_rounds)
    for slot in range(n_slots):
        log_share = log_shares(of_slots[:, slot].masked_fill(is_placed, -torch.inf))
        cumulative = log_share.exp().cumsum(-1)
        mass = cumulative[:, -1]
        is_filled = mass > 0
        # "<=" skips items of probability 0 and never reaches past the last one that has any.
        drawn = (cumulative <= (uniforms[:, slot] * mass)[:, None]).sum(-1).clamp(max=n_items - 1)
        chosen = log_share.gather(-1, drawn[:, None])[:, 0]
        log_probability = log_probability + torch.where(is_filled, chosen, 0.0)
        items[:, slot] = torch.where(is_filled, drawn, NOTHING)
        is_placed = is_placed.scatter(
            -1, drawn[:, None], is_placed.gather(-1, drawn[:, None]) | is_filled[:, None]
        )
    return items, log_probability


def slate_log_probability(logits: Tensor, items: Tensor) -> Tensor:
    """Return the natural log of the probability of given slates [n]; minus infinity for an impossible one.

    logits: [n, L, A] as in `slot_marginals`, any L. items: int64 [n, L], -1 for a slot left empty, which is
    certain where nothing is left to draw and impossible elsewhere.

    >>> p = torch.tensor([[[0.5, 0.25, 0.25], [0.5, 0.25, 0.25]]])
    >>> round(slate_log_probability(p.log(), torch.tensor([[1, 0]])).exp().item(), 4)
    0.1667
    """
    of_slots = checked_logits(logits)
    total = of_slots.new_zeros(len(of_slots))
    for slot in range(of_slots.shape[1]):
        left = of_slots[:, slot]
        for place in range(slot):
            is_placed = torch.nn.functional.one_hot(items[:, place].clamp(min=0), left.shape[-1]).bool()
            left = left.masked_fill(is_placed & (items[:, place] != NOTHING)[:, None], -torch.inf)
        chosen = log_shares(left).gather(-1, items[:, slot, None].clamp(min=0))[:, 0]
        nothing_left = (left == -torch.inf).all(-1)
        empty = torch.where(nothing_left, 0.0, -torch.inf).to(chosen.dtype)
        total = total + torch.where(items[:, slot] == NOTHING, empty, chosen)
    return total
