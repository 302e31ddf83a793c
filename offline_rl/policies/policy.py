"""What a policy is to everyone who evaluates or serves one."""

from typing import Protocol

from torch import Tensor


class Policy(Protocol):
    """Chooses an item for a slot, given a context, among the items that can be shown."""

    @property
    def name(self) -> str:
        """The name that tables and reports show."""
        ...

    def action_probabilities(
        self, context: Tensor, slot: Tensor, item_features: Tensor, available: Tensor
    ) -> Tensor:
        """pi(a | x, slot): [n, A], each row sums to 1 over the available items and is 0 elsewhere.

        context [n, d], slot [n], item_features [A, f], available bool [n, A].
        """
        ...
