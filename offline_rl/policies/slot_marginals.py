"""Slot marginals: the exact probability of each item in each slot of a slate filled without replacement.

    m1(i) = p1(i)
    m2(i) = p2(i) sum_{j != i} p1(j) / (1 - p2(j))
    m3(i) = p3(i) sum_{j != k, both != i} p1(j) p2(k) / ((1 - p2(j)) (1 - p3(j) - p3(k)))

with p_l the softmax of slot l. Nothing here works on pairs of items, so that a catalog of thousands costs
what its items cost. The second sum comes apart because of

    1 / x = integral of exp(-t x) dt over t > 0,    x = (1/2 - p3(j)) + (1/2 - p3(k))

at a few nodes t: given one, a pair's term is a product of what j says and what k says. Sums that leave out
an item are never taken as a difference that could cancel: what is more than half of a sum is left out by
summing anew.
Sources: Plackett 1975, "The Analysis of Permutations", with one set of weights per slot; Gautschi 2004,
"Orthogonal Polynomials", section 3.1, for the nodes.
"""

import math

import numpy as np
import torch
from torch import Tensor

from features.codes import MOST_SLOTS
from offline_rl.policies.shares import shares

NODES = 16
"""Nodes of the integral. Where slot 3's favorite is left, x lies between 1/3 and 1, and at the best scale
each node multiplies the error by (2 - sqrt 3)^2, so that 15 leave less than a rounding."""

_SCALE = 1.0 / math.sqrt(3.0)

_NUMBERS_AT_ONCE = 1 << 18
"""Numbers of nodes by items that are held at once, 2 MB: larger blocks fall out of the processor's cache."""


def slot_marginals(logits: Tensor) -> Tensor:
    """Return the exact probability of each item in each slot of the slate, float64 [n, L, A].

    A slot sums to 1, or to the probability that the slot is filled at all. An item's slots sum to at most 1.
    The relative error is of rounding, whatever the spread of the logits. Differentiable; work and memory per
    row grow with A.

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
    of_slots = checked_logits(logits)
    _, n_slots, n_items = of_slots.shape
    if n_slots > MOST_SLOTS:
        raise ValueError(
            f"Slot marginals are exact for at most {MOST_SLOTS} slots, and {n_slots} were asked for: show "
            "fewer items on the surface, or estimate the marginals by sampling slates."
        )
    if n_slots == 1:
        return shares(of_slots)
    rows = max(1, _NUMBERS_AT_ONCE // (NODES * (n_items + 1)))
    return torch.cat([_marginals(part) for part in torch.split(of_slots, rows)])


def checked_logits(logits: Tensor) -> Tensor:
    """Return slot logits [n, L, A] as float64, or raise a ValueError that says what is wrong with them."""
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


def _marginals(logits: Tensor) -> Tensor:
    # One more column, the item "nothing", carries the slates whose earlier slots stayed empty.
    by_slot = torch.nn.functional.pad(logits, (0, 1), value=-torch.inf).unbind(1)
    first = _or_nothing(shares(by_slot[0]))
    pairs = _Pairs(first, by_slot[1])
    marginals = [first, pairs.second()]
    if len(by_slot) > 2:
        marginals.append(_after_two(by_slot[2], pairs))
    return torch.stack(marginals, dim=1)[..., :-1]


class _Pairs:
    """P(j in slot 1, k in slot 2), which is the product `begun`(j) `drawn`(k) for j != k, [n, C] each.

    But for j the favorite of slot 2, whose 1 - p2(j) would cancel, and nobody else's can, since nobody else
    has more than half: then it is `led` [n, 1] times `after_favorite`(k), shares taken anew without it.
    Nothing may be placed twice, an item may not.
    """

    def __init__(self, first: Tensor, logits: Tensor) -> None:
        self.is_favorite = _is_favorite(logits)
        share = shares(logits)
        left = 1.0 - share.masked_fill(self.is_favorite, 0.0)
        self.begun = (first / left).masked_fill(self.is_favorite, 0.0)
        self.drawn = _or_nothing(share)
        self.led = first.masked_fill(~self.is_favorite, 0.0).sum(-1, keepdim=True)
        self.after_favorite = _or_nothing(shares(logits.masked_fill(self.is_favorite, -torch.inf)))

    def second(self) -> Tensor:
        """Return the marginal of slot 2, [n, C]."""
        return self.drawn * _sums_of_others(self.begun) + self.led * self.after_favorite

    def beside(self, is_item: Tensor) -> Tensor:
        """Return probability [n, C] of each item in one of the slots where the item marked has the other."""
        of_item = self.begun.masked_fill(~is_item, 0.0).sum(-1, keepdim=True)
        drawn_item = self.drawn.masked_fill(~is_item, 0.0).sum(-1, keepdim=True)
        after = self.after_favorite.masked_fill(~is_item, 0.0).sum(-1, keepdim=True)
        leads = (self.is_favorite & is_item).any(-1, keepdim=True)
        it_first = torch.where(leads, self.led * self.after_favorite, of_item * self.drawn)
        it_second = self.begun * drawn_item + (self.led * after) * self.is_favorite
        return (it_first + it_second).masked_fill(is_item, 0.0)


def _after_two(logits: Tensor, pairs: _Pairs) -> Tensor:
    """Return the marginal of slot 3 [n, C].

    Three cases: the favorite is still left, and with it at least a third of all; it is placed and the second
    favorite is left, with at least half of what the favorite leaves; both are placed.
    """
    is_favorite = _is_favorite(logits)
    without_favorite = logits.masked_fill(is_favorite, -torch.inf)
    is_second = _is_favorite(without_favorite)
    favorite_left = shares(logits) * _favorite_left(shares(logits), is_favorite, pairs)

    beside = pairs.beside(is_favorite)
    share = shares(without_favorite)
    left = 1.0 - share.masked_fill(is_second, 0.0)
    second_left = share * _sums_of_others((beside / left).masked_fill(is_second, 0.0))

    both = beside.masked_fill(~is_second, 0.0).sum(-1, keepdim=True)
    both_placed = shares(without_favorite.masked_fill(is_second, -torch.inf)) * both
    return favorite_left + second_left + both_placed


def _favorite_left(share: Tensor, is_favorite: Tensor, pairs: _Pairs) -> Tensor:
    """Sum P(j, k) / (1 - p3(j) - p3(k)), [n, C], over pairs without the item and slot 3's favorite."""
    share = share.masked_fill(is_favorite, 0.0)
    node, weight = (column.to(share) for column in _NODES_AND_WEIGHTS)
    decay = torch.exp(-node[:, None] * (0.5 - share)[:, None, :])
    begun = pairs.begun.masked_fill(is_favorite, 0.0)[:, None, :] * decay
    drawn = pairs.drawn.masked_fill(is_favorite, 0.0)[:, None, :] * decay
    sums = torch.einsum("q,nqc->nc", weight, _sums_of_other_pairs(begun, drawn))

    of_leader = share.masked_fill(~pairs.is_favorite, 0.0).sum(-1, keepdim=True)
    left = 1.0 - of_leader - share.masked_fill(pairs.is_favorite, 0.0)
    is_out = (pairs.is_favorite & is_favorite).any(-1, keepdim=True)
    led = (pairs.led * pairs.after_favorite / left).masked_fill(is_out | is_favorite, 0.0)
    return sums + _sums_of_others(led).masked_fill(pairs.is_favorite, 0.0)


def _sums_of_other_pairs(begun: Tensor, drawn: Tensor) -> Tensor:
    """Return sums of begun(j) drawn(k) over j != k, both != i, for each i: [..., C].

        sum_{j != i} begun(j) (rest(j) - drawn(i)),   rest(j) = sum_{k != j} drawn(k)

    A rest is at least twice drawn(i) where i is not among the two that draw most, since one of them is in it
    and i itself is. For those two the item is taken out before anything is summed.
    """
    followed = begun * _sums_of_others(drawn)
    sums = _sums_of_others(followed) - drawn * _sums_of_others(begun)
    most = drawn.detach().topk(min(2, drawn.shape[-1]), dim=-1).indices
    for item in torch.split(most, 1, dim=-1):
        is_item = torch.zeros_like(drawn, dtype=torch.bool).scatter(-1, item, True)
        rest = _sums_of_others(drawn.masked_fill(is_item, 0.0))
        anew = (begun.masked_fill(is_item, 0.0) * rest).sum(-1, keepdim=True)
        sums = torch.where(is_item, anew, sums)
    return sums


def _sums_of_others(values: Tensor) -> Tensor:
    """Return sums [..., C] of all values but the item's own; "nothing", the last, is never left out.

    Only the largest can be more than half of the whole: for it the others are summed anew.
    """
    is_largest = _is_favorite(values.detach())
    total = values.sum(-1, keepdim=True)
    others = values.masked_fill(is_largest, 0.0).sum(-1, keepdim=True)
    sums = torch.where(is_largest, others, total - values)
    return torch.cat([sums[..., :-1], total], dim=-1)


def _is_favorite(values: Tensor) -> Tensor:
    return torch.zeros_like(values, dtype=torch.bool).scatter(-1, values.argmax(-1, keepdim=True), True)


def _or_nothing(share: Tensor) -> Tensor:
    is_empty = share.sum(-1, keepdim=True) == 0
    return torch.cat([share[..., :-1], is_empty.to(share.dtype)], dim=-1)


def _nodes_and_weights() -> tuple[Tensor, Tensor]:
    """Return nodes and weights of 1 / x for x between 1/3 and 1: Gauss-Laguerre at the scale 1 / sqrt 3."""
    node, weight = np.polynomial.laguerre.laggauss(NODES)
    return torch.from_numpy(node / _SCALE), torch.from_numpy(weight * np.exp(node) / _SCALE)


_NODES_AND_WEIGHTS = _nodes_and_weights()
