"""Policy: the interface for evaluation and serving."""

from abc import ABC, abstractmethod
from typing import Protocol

from torch import Tensor

from offline_rl.policies.shares import shares
from offline_rl.user_history import UserHistory


class Policy(Protocol):
    """Chooses an action (an item or a creative) for a slot, given a context, among the available ones."""

    @property
    def name(self) -> str:
        """The name that tables and reports show."""
        ...

    def action_logits(
        self,
        context: Tensor,
        slot: Tensor,
        item_features: Tensor,
        available: Tensor,
        history: UserHistory | None = None,
    ) -> Tensor:
        """Return log pi(a | x, slot) up to a constant of each row: float64 [n, A]; -inf where not available.

        context [n, d], slot [n], item_features [A, f], available bool [n, A]; history: of the n users, None
        where no log has it.
        """
        ...

    def action_probabilities(
        self,
        context: Tensor,
        slot: Tensor,
        item_features: Tensor,
        available: Tensor,
        history: UserHistory | None = None,
    ) -> Tensor:
        """Return pi(a | x, slot), the softmax of `action_logits`: float64 [n, A].

        Each row sums to 1 over the available actions and is 0 elsewhere.
        """
        ...


class LogitPolicy(ABC):
    """A policy that is given by its logits; see `Policy` for the arguments."""

    @abstractmethod
    def action_logits(
        self,
        context: Tensor,
        slot: Tensor,
        item_features: Tensor,
        available: Tensor,
        history: UserHistory | None = None,
    ) -> Tensor:
        """See `Policy`."""

    def action_probabilities(
        self,
        context: Tensor,
        slot: Tensor,
        item_features: Tensor,
        available: Tensor,
        history: UserHistory | None = None,
    ) -> Tensor:
        """See `Policy`; zeros where the policy bears a row without an available action."""
        return shares(self.action_logits(context, slot, item_features, available, history))
