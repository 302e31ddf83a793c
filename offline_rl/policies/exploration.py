"""Exploration: a small share of slates is not the policy's own, so that tomorrow's log can be evaluated.

Exploring slates are drawn uniformly. Where a challenger waits for evidence, half of them are drawn from it:
the weights of its evaluation are then at most 2 / epsilon, and not A / epsilon, and slates that a learned
policy would show cost the shop less than random ones.

Exploring slate by slate keeps every slot as good as the policy makes it. Mixing the uniform policy into each
slot's own probabilities would not: with a greedy policy the first slot takes the favorite, and all that the
second slot then has left to draw from is the uniform share.
Source: Zhu & Kveton 2022, "Safe optimal design with applications in off-policy learning", for logging that
stays close to what serves and is drawn for the policies that will be evaluated.
"""

import math

import torch
from torch import Tensor

from offline_rl.policies.plackett_luce import slate_log_probability, slates_at
from offline_rl.policies.slot_marginals import slot_marginals

DIRECTED = 0.5
"""Share of the exploring slates that a challenger draws, where there is one."""


def explored_marginals(
    logits: Tensor, available: Tensor, exploration: Tensor, challenger: Tensor | None = None
) -> Tensor:
    """Return the exact probability of each item in each slot when slates are explored, float64 [n, L, A].

    m(i) = (1 - epsilon) m_policy(i) + epsilon ((1 - d) / |available| + d m_challenger(i))

    with m_policy and m_challenger the marginals of their own slates (`slot_marginals`), and d = `DIRECTED`,
    or 0 where there is no challenger. Slots beyond the number of available items stay empty in a uniform
    slate too. Every available item has at least epsilon (1 - d) / A in every slot, so no importance weight
    of a later policy exceeds the inverse of that.

    logits, challenger: [n, L, A], logs of what each slot would draw if filled first (see `slot_marginals`).
    available: bool [n, A]. exploration: epsilon of each row, [n], in 0..1.
    Raises ValueError for an epsilon that is not a share.

    >>> greedy = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]]).log()
    >>> explored_marginals(greedy, torch.tensor([[True, True]]), torch.tensor([0.5])).tolist()
    [[[0.75, 0.25], [0.25, 0.75]]]
    """
    epsilon = _checked(exploration)[:, None, None]
    n_slots = logits.shape[1]
    n_available = available.sum(-1)
    is_filled = torch.arange(n_slots, device=available.device) < n_available[:, None]
    uniform = (available.double() / n_available.clamp(min=1)[:, None])[:, None, :] * is_filled[:, :, None]
    explored = uniform if challenger is None else torch.lerp(uniform, slot_marginals(challenger), DIRECTED)
    return (1.0 - epsilon) * slot_marginals(logits) + epsilon * explored


def explored_slates(
    logits: Tensor,
    available: Tensor,
    exploration: Tensor,
    uniforms: Tensor,
    challenger: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the slates that given uniform numbers select, with their probability and whether they explore.

    P(slate) = (1 - epsilon) P_policy(slate) + epsilon ((1 - d) P_uniform(slate) + d P_challenger(slate))

    logits, available, exploration, challenger: as in `explored_marginals`. uniforms: [n, 1 + L] in [0, 1);
    the first says whether the row explores, and for whom.
    Returns items int64 [n, L] (-1 for an empty slot), the natural log of P [n], and bool [n].

    >>> greedy, both = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]]).log(), torch.tensor([[True, True]])
    >>> numbers = torch.tensor([[0.9, 0.5, 0.5]])
    >>> items, log_probability, explores = explored_slates(greedy, both, torch.tensor([0.5]), numbers)
    >>> items.tolist(), log_probability.exp().tolist(), explores.tolist()
    ([[0, 1]], [0.75], [False])
    """
    epsilon = _checked(exploration)
    explores = uniforms[:, 0] < epsilon
    evenly = available.double().log()[:, None, :].expand_as(logits)
    drawn_from = torch.where(explores[:, None, None], evenly, logits.double())
    if challenger is not None:
        is_directed = uniforms[:, 0] < epsilon * DIRECTED
        drawn_from = torch.where(is_directed[:, None, None], challenger.double(), drawn_from)
    items, _ = slates_at(drawn_from, uniforms[:, 1:])
    explored = slate_log_probability(evenly, items)
    if challenger is not None:
        directed = slate_log_probability(challenger, items)
        explored = torch.logaddexp(explored + math.log(1.0 - DIRECTED), directed + math.log(DIRECTED))
    follows = torch.log1p(-epsilon) + slate_log_probability(logits, items)
    return items, torch.logaddexp(follows, epsilon.log() + explored), explores


def _checked(exploration: Tensor) -> Tensor:
    if not bool(((exploration >= 0) & (exploration <= 1)).all()):
        raise ValueError("A share of exploration lies in 0..1: correct learning.exploration.")
    return exploration.double()
