"""A policy of one catalog in another: tonight's items, as a champion of an earlier night scores them.

Its own items it scores as it always did. A new item gets the score that its attributes predict, by a ridge
regression of the champion's own scores on the attributes of its own items: whatever kind of policy it is, a
new red shoe is scored like the shoes and the red things it knows. Items that are gone are never available.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from offline_rl.policies.policy import LogitPolicy, Policy
from offline_rl.policies.shares import restricted
from offline_rl.user_history import Touches, UserHistory

PENALTY = 1.0
"""Penalty of the ridge regression: with as much variation as one item brings, half of an effect is used."""


def likeness(new: Tensor, own: Tensor) -> Tensor:
    """Return how much each own item counts in the score of each new one, float64 [N, A]; rows sum to 1.

        1 / A + (z_new - m) (Z'Z + I)^-1 Z',   m the mean of the own items' attributes, Z without it

    new [N, f], own [A, f]: attributes. The prediction of a ridge regression is linear in what is predicted,
    so that these weights hold for every context. Without attributes each own item counts the same.
    Source: Hastie, Tibshirani & Friedman 2009, section 3.4.1.

    Two red items, two blue, and a new red one; Z = ±1/2, so that Z'Z + 1 = 2 and the weights are 1/4 ± 1/8.

    >>> likeness(torch.tensor([[1.0]]), torch.tensor([[1.0], [1.0], [0.0], [0.0]])).tolist()
    [[0.375, 0.375, 0.125, 0.125]]
    """
    exact, mean = own.double(), own.double().mean(0)
    centered = exact - mean
    system = centered.T @ centered + PENALTY * torch.eye(own.shape[1], dtype=torch.float64)
    slopes: Tensor = torch.linalg.solve(system, centered.T)
    return 1.0 / len(own) + (new.double() - mean) @ slopes


@dataclass(frozen=True, eq=False)
class InAnotherCatalog(LogitPolicy):
    """A policy with its own items and slots, asked for other ones.

    item_features [A', f]: of its own items; n_slots: its own slots, of which the last stands for later ones.
    known int64 [A]: the own item that each of the asked items is, -1 for a new one. likeness [N, A']: of the
    new ones, in their order.
    """

    policy: Policy
    item_features: Tensor
    n_slots: int
    known: Tensor
    likeness: Tensor

    @property
    def name(self) -> str:
        """The name of the policy itself."""
        return self.policy.name

    def action_logits(
        self,
        context: Tensor,
        slot: Tensor,
        item_features: Tensor,  # noqa: ARG002 (it knows the features of its own items)
        available: Tensor,
        history: UserHistory | None = None,
    ) -> Tensor:
        """See `Policy`; context and history as the policy reads them, available of the asked items.

        A new item has no probability where the policy gives none to an own item, as a log's record does. A
        row in which nothing available has any gets equal ones.
        """
        everything = torch.ones(len(slot), len(self.item_features), dtype=torch.bool)
        in_slot = slot.clamp_max(self.n_slots - 1)
        own = self.policy.action_logits(context, in_slot, self.item_features, everything, history).cpu()
        logits = own.new_full(available.shape, -torch.inf)
        is_new = self.known < 0
        logits[:, ~is_new] = own[:, self.known[~is_new]]
        if bool(is_new.any()):
            predicted = own @ self.likeness.T
            logits[:, is_new] = torch.where(predicted.isfinite(), predicted, -torch.inf)
        logits = restricted(logits, available.cpu())
        is_empty = (logits == -torch.inf).all(-1, keepdim=True)
        return torch.where(is_empty, available.cpu().double().log(), logits)


def own_history(history: UserHistory | None, known: Tensor) -> UserHistory | None:
    """Return a history of tonight's items with the own items of a policy alone; `known` as above.

    >>> table = Touches(torch.tensor([0, 2, 3]), torch.tensor([0, 1, 1]), torch.zeros(3, 5))
    >>> found = own_history(UserHistory(torch.tensor([1]), table), torch.tensor([-1, 4]))
    >>> found.touches.first.tolist(), found.touches.item.tolist()
    ([0, 1, 2], [4, 4])
    """
    if history is None:
        return None
    touches = history.touches
    item = known[touches.item]
    is_own = item >= 0
    before = torch.cat([is_own.new_zeros(1, dtype=torch.int64), is_own.cumsum(0)])
    return UserHistory(history.state, Touches(before[touches.first], item[is_own], touches.amount[is_own]))
