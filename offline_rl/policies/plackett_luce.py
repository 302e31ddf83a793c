"""Slates filled slot by slot without replacement: exact slot probabilities and sampling.

Slot l draws from its own probabilities p_l, restricted to the items not yet placed and renormalized. Where
nothing is left to draw from (fewer available items than slots, or all probability on a placed item) the
slot stays empty. Source: Plackett 1975, "The Analysis of Permutations", with one set of weights per slot.
"""

import torch
from torch import Tensor

MOST_SLOTS = 3
NOTHING = -1

# Smaller probabilities count as zero: their reciprocals would overflow in the products below.
_SMALLEST = 1e-100
# Pairs of items held at once, about 8 MB of float64: larger blocks fall out of the processor's cache.
_PAIRS_AT_ONCE = 1 << 20


def slot_marginals(probabilities: Tensor) -> Tensor:
    """Return the exact probability of each item in each slot of the slate, float64 [n, L, A].

    m1(i) = p1(i)
    m2(i) = p2(i) sum_{j != i} p1(j) / (1 - p2(j))
    m3(i) = p3(i) sum_{j != k, both != i} p1(j) p2(k) / ((1 - p2(j)) (1 - p3(j) - p3(k)))

    A slot sums to 1, or to the probability that the slot is filled at all. An item's slots sum to at most 1.
    Differentiable; work and memory per row grow with A^2 (A^3 multiplications in the matrix products).

    probabilities: [n, L, A], what each slot would draw if it were filled first; 0 for items that can't be
    shown. Rows need not sum to one. L <= 3.
    Raises ValueError for more slots, for another shape, and for negative or non-finite probabilities.

    Item 0 in slot 2, where slot 1 took item 1 or item 2: 1/2 (1/4 / (3/4) + 1/4 / (3/4)) = 1/3.

    >>> p = torch.tensor([[[0.5, 0.25, 0.25], [0.5, 0.25, 0.25]]])
    >>> [round(m, 4) for m in slot_marginals(p)[0, 1].tolist()]
    [0.3333, 0.3333, 0.3333]
    """
    weights = _checked(probabilities)
    n_rounds, n_slots, n_items = weights.shape
    if n_slots > MOST_SLOTS:
        raise ValueError(
            f"Slot marginals are exact for at most {MOST_SLOTS} slots, and {n_slots} were asked for: show "
            "fewer items on the surface, or estimate the marginals by sampling slates."
        )
    rows = max(1, _PAIRS_AT_ONCE // (n_items + 1) ** 2)
    starts = range(0, max(n_rounds, 1), rows)
    return torch.cat([_marginals(weights[start : start + rows]) for start in starts])


def slates_at(probabilities: Tensor, uniforms: Tensor) -> tuple[Tensor, Tensor]:
    """Return the slates that given uniform numbers in [0, 1) select, by inverting each slot's distribution.

    A row depends on its own numbers alone, so a slate can be drawn again later, by itself.

    probabilities: [n, L, A] as in `slot_marginals`, any L. uniforms: [n, L].
    Returns items int64 [n, L] (-1 for an empty slot) and the natural log of the slate's probability [n].

    Slot 1 takes item 1, since 0.5 <= 0.6 < 0.75. Slot 2 then has 0.5 : 0.25 left and takes item 0.

    >>> p = torch.tensor([[[0.5, 0.25, 0.25], [0.5, 0.25, 0.25]]])
    >>> items, log_probability = slates_at(p, torch.tensor([[0.6, 0.6]]))
    >>> items.tolist(), round(log_probability.exp().item(), 4)
    ([[1, 0]], 0.1667)
    """
    weights = _checked(probabilities)
    n_rounds, n_slots, n_items = weights.shape
    is_placed = torch.zeros(n_rounds, n_items, dtype=torch.bool, device=weights.device)
    items = torch.full((n_rounds, n_slots), NOTHING, dtype=torch.int64, device=weights.device)
    log_probability = weights.new_zeros(n_rounds)
    for slot in range(n_slots):
        left = weights[:, slot].masked_fill(is_placed, 0.0)
        cumulative = left.cumsum(-1)
        mass = cumulative[:, -1]
        is_filled = mass > 0
        # "<=" skips items of probability 0 and never reaches past the last one that has any.
        drawn = (cumulative <= (uniforms[:, slot] * mass)[:, None]).sum(-1).clamp(max=n_items - 1)
        chosen = left.gather(-1, drawn[:, None])[:, 0]
        share = torch.where(is_filled, chosen, 1.0) / torch.where(is_filled, mass, 1.0)
        log_probability = log_probability + share.log()
        items[:, slot] = torch.where(is_filled, drawn, NOTHING)
        is_placed = is_placed.scatter(
            -1, drawn[:, None], is_placed.gather(-1, drawn[:, None]) | is_filled[:, None]
        )
    return items, log_probability


def slate_log_probability(probabilities: Tensor, items: Tensor) -> Tensor:
    """Return the natural log of the probability of given slates [n]; minus infinity for an impossible one.

    probabilities: [n, L, A] as in `slot_marginals`, any L. items: int64 [n, L], -1 for a slot left empty,
    which is certain where nothing is left to draw and impossible elsewhere.

    >>> p = torch.tensor([[[0.5, 0.25, 0.25], [0.5, 0.25, 0.25]]])
    >>> round(slate_log_probability(p, torch.tensor([[1, 0]])).exp().item(), 4)
    0.1667
    """
    weights = _checked(probabilities)
    total = weights.new_zeros(len(weights))
    for slot in range(weights.shape[1]):
        chosen = items[:, slot, None]
        left = weights[:, slot]
        for place in range(slot):
            is_placed = torch.nn.functional.one_hot(items[:, place].clamp(min=0), left.shape[-1]).bool()
            left = left.masked_fill(is_placed & (items[:, place] != NOTHING)[:, None], 0.0)
        mass = left.sum(-1)
        share = _ratio(left.gather(-1, chosen.clamp(min=0))[:, 0], mass)
        is_empty = chosen[:, 0] == NOTHING
        total = total + torch.where(is_empty, (mass <= 0).to(share.dtype), share).log()
    return total


def _marginals(weights: Tensor) -> Tensor:
    # One more column, the item "nothing", carries the slates whose earlier slots stayed empty.
    by_slot = torch.nn.functional.pad(weights, (0, 1)).unbind(1)
    n_columns = by_slot[0].shape[-1]
    # x @ others sums all columns but one. 1 - x would cancel where x is nearly 1; a sum of parts doesn't.
    others = 1.0 - torch.eye(n_columns, dtype=weights.dtype, device=weights.device)
    first = _drawn(by_slot[0], by_slot[0].sum(-1, keepdim=True))
    marginals = [first]
    if len(by_slot) > 1:
        after_first = _drawn(by_slot[1][:, None, :] * others, (by_slot[1] @ others)[:, :, None])
        pairs = first[:, :, None] * after_first
        marginals.append(pairs.sum(1))
    if len(by_slot) > 2:
        left = (by_slot[2][:, None, :] * others) @ others
        per_mass = _ratio(pairs, left)
        marginals.append(by_slot[2] * ((per_mass @ others) * others).sum(1))
    return torch.stack(marginals, dim=1)[..., :-1]


def _drawn(weights: Tensor, mass: Tensor) -> Tensor:
    shares = _ratio(weights, mass)
    return torch.cat([shares[..., :-1], (mass <= 0).to(weights.dtype).expand_as(shares[..., :1])], dim=-1)


def _ratio(part: Tensor, whole: Tensor) -> Tensor:
    # Two `where`: one guards the value, the inner one keeps 0/0 out of the gradient.
    is_left = whole > 0
    return torch.where(is_left, part / torch.where(is_left, whole, 1.0), 0.0)


def _checked(probabilities: Tensor) -> Tensor:
    if probabilities.ndim != 3 or probabilities.shape[1] == 0 or probabilities.shape[2] == 0:
        raise ValueError(
            f"Slot probabilities have the shape {tuple(probabilities.shape)}: give [rounds, slots, items] "
            "with at least one slot and one item."
        )
    weights = probabilities.double()
    if not bool(((weights >= 0) & weights.isfinite()).all()):
        raise ValueError(
            "Slot probabilities hold a negative or non-finite number: pass probabilities, not logits."
        )
    return torch.where(weights < _SMALLEST, 0.0, weights)
