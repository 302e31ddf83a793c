"""Slates filled slot by slot without replacement: exact slot probabilities and sampling.

Slot l draws from its own probabilities p_l, restricted to the items not yet placed and renormalized. Where
nothing is left to draw from (fewer available items than slots, or all probability on a placed item) the
slot stays empty. Source: Plackett 1975, "The Analysis of Permutations", with one set of weights per slot.

Slots come as logits, and what is left is measured against the largest logit that is left: however far an item
leads, the slots below it are drawn from the others as if it weren't there.
"""

import torch
from torch import Tensor

from offline_rl.policies.shares import log_shares, shares

MOST_SLOTS = 3
NOTHING = -1

# Pairs of items held at once, about 8 MB of float64: larger blocks fall out of the processor's cache.
_PAIRS_AT_ONCE = 1 << 20


def slot_marginals(logits: Tensor) -> Tensor:
    """Return the exact probability of each item in each slot of the slate, float64 [n, L, A].

    m1(i) = p1(i)
    m2(i) = p2(i) sum_{j != i} p1(j) / (1 - p2(j))
    m3(i) = p3(i) sum_{j != k, both != i} p1(j) p2(k) / ((1 - p2(j)) (1 - p3(j) - p3(k)))

    with p_l the softmax of slot l. A slot sums to 1, or to the probability that the slot is filled at all. An
    item's slots sum to at most 1. The relative error is of rounding, whatever the spread of the logits.
    Differentiable; work and memory per row grow with A^2.

    logits: [n, L, A], logs of what each slot would draw if it were filled first, up to a constant of each
    slot; minus infinity for items that can't be shown. L <= 3.
    Raises ValueError for more slots, for another shape, and for plus infinity or no number.

    Item 0 in slot 2, where slot 1 took item 1 or item 2: 1/2 (1/4 / (3/4) + 1/4 / (3/4)) = 1/3. And an item
    that leads by more than a float can tell leaves slot 2 to the others.

    >>> p = torch.tensor([[[0.5, 0.25, 0.25], [0.5, 0.25, 0.25]]])
    >>> [round(m, 4) for m in slot_marginals(p.log())[0, 1].tolist()]
    [0.3333, 0.3333, 0.3333]
    >>> slot_marginals(torch.tensor([[[1000.0, 0.0, 0.0], [1000.0, 0.0, 0.0]]]))[0, 1].tolist()
    [0.0, 0.5, 0.5]
    """
    of_slots = _checked(logits)
    n_rounds, n_slots, n_items = of_slots.shape
    if n_slots > MOST_SLOTS:
        raise ValueError(
            f"Slot marginals are exact for at most {MOST_SLOTS} slots, and {n_slots} were asked for: show "
            "fewer items on the surface, or estimate the marginals by sampling slates."
        )
    if n_slots == 1:
        return shares(of_slots)
    rows = max(1, _PAIRS_AT_ONCE // (n_items + 1) ** 2)
    starts = range(0, max(n_rounds, 1), rows)
    return torch.cat([_marginals(of_slots[start : start + rows]) for start in starts])


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
    of_slots = _checked(logits)
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
    of_slots = _checked(logits)
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


def _marginals(logits: Tensor) -> Tensor:
    # One more column, the item "nothing", carries the slates whose earlier slots stayed empty.
    by_slot = torch.nn.functional.pad(logits, (0, 1), value=-torch.inf).unbind(1)
    # Nothing may be placed twice, an item may not.
    is_same = torch.eye(by_slot[0].shape[-1], dtype=torch.bool, device=logits.device)
    is_same[-1, -1] = False
    first = _or_nothing(shares(by_slot[0]))
    pairs = first[:, :, None] * _after_one(by_slot[1], is_same)
    marginals = [first, pairs.sum(1)]
    if len(by_slot) > 2:
        marginals.append(_after_two(by_slot[2], pairs, is_same))
    return torch.stack(marginals, dim=1)[..., :-1]


def _after_one(logits: Tensor, is_same: Tensor) -> Tensor:
    """What a slot draws [n, C, C] once the item of the second dimension is placed, from its logits [n, C].

    1 - p(j) cancels only where j is the slot's favorite, since nobody else has more than half. Without the
    favorite the shares are taken anew.
    """
    is_favorite = _is_favorite(logits)
    share = shares(logits)
    left = 1.0 - share.masked_fill(is_favorite, 0.0)
    drawn = _or_nothing(share)[:, None, :] / left[:, :, None]
    drawn[is_favorite] = _or_nothing(shares(logits.masked_fill(is_favorite, -torch.inf)))
    return drawn.masked_fill_(is_same, 0.0)


def _after_two(logits: Tensor, pairs: Tensor, is_same: Tensor) -> Tensor:
    """The marginal of a slot [n, C] from its logits [n, C] and the probability [n, C, C] of what is above it.

    Three cases: the favorite is still left, and with it at least a third of all; it is placed and the second
    favorite is left, with at least half of what the favorite leaves; both are placed.
    """
    is_favorite = _is_favorite(logits)
    without_favorite = logits.masked_fill(is_favorite, -torch.inf)
    is_second = _is_favorite(without_favorite)

    share = shares(logits)
    # An endless mass takes the pairs with the favorite out.
    placed = share.masked_fill(is_favorite, -torch.inf)
    left = ((1.0 - placed)[:, :, None] - placed[:, None, :]).masked_fill_(is_same, 1.0)
    favorite_left = share * _without_each(pairs / left)

    favorite = logits.argmax(-1)
    row = torch.arange(len(logits), device=logits.device)
    beside = pairs[row, favorite] + pairs[row, :, favorite]
    share = shares(without_favorite)
    left = 1.0 - share.masked_fill(is_second, -torch.inf)
    # x @ others sums all columns but one: the whole sum less that one would cancel.
    second_left = share * ((beside / left) @ (~is_same).to(logits.dtype))

    both = beside.masked_fill(~is_second, 0.0).sum(-1, keepdim=True)
    both_placed = shares(without_favorite.masked_fill(is_second, -torch.inf)) * both
    return favorite_left + second_left + both_placed


def _without_each(pairs: Tensor) -> Tensor:
    """Sums [n, C] of pairs [n, C, C] that hold the item of the second dimension in neither place.

    The whole sum less the item's own pairs, which cancels only for an item that is in most pairs.  Every pair
    has two items, so no more than two can be in over two thirds of them; those two are summed anew.
    """
    in_first, in_second = pairs.sum(2), pairs.sum(1)
    own = in_first + in_second
    own[:, -1] = 0.0  # Nothing may be placed twice: no pair keeps it out.
    sums = in_first.sum(1, keepdim=True) - own
    frequent = own.topk(min(2, own.shape[1])).indices
    for item in frequent.unbind(1):
        kept = torch.ones_like(own).scatter(1, item[:, None], 0.0)
        kept[:, -1] = 1.0
        anew = (kept * (pairs @ kept[:, :, None])[:, :, 0]).sum(1, keepdim=True)
        sums = sums.scatter(1, item[:, None], anew)
    return sums


def _is_favorite(logits: Tensor) -> Tensor:
    return torch.nn.functional.one_hot(logits.argmax(-1), logits.shape[-1]).bool()


def _or_nothing(share: Tensor) -> Tensor:
    is_empty = share.sum(-1, keepdim=True) == 0
    return torch.cat([share[..., :-1], is_empty.to(share.dtype)], dim=-1)


def _checked(logits: Tensor) -> Tensor:
    if logits.ndim != 3 or logits.shape[1] == 0 or logits.shape[2] == 0:
        raise ValueError(
            f"Slot logits have the shape {tuple(logits.shape)}: give [rounds, slots, items] "
            "with at least one slot and one item."
        )
    of_slots = logits.double()
    if not bool((of_slots < torch.inf).all()):
        raise ValueError(
            "Slot logits hold plus infinity or no number: pass logs of probabilities, minus infinity for "
            "items that can't be shown."
        )
    return of_slots
