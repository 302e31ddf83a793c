"""Exploration: what is served keeps every available item possible, so that tomorrow's log can be judged."""

from dataclasses import dataclass

from torch import Tensor

from offline_rl.policies.policy import Policy


def mix_with_uniform(probabilities: Tensor, available: Tensor, epsilon: float) -> Tensor:
    """(1 - epsilon) pi + epsilon / |available|, the epsilon-mixture of a policy with the uniform one.

    probabilities [n, A] with 0 outside available (bool [n, A]).  Every available item then has at least
    epsilon / A, so no importance weight of a later policy exceeds A / epsilon.

    >>> import torch
    >>> mix_with_uniform(torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[True, True, False]]), 0.5).tolist()
    [[0.75, 0.25, 0.0]]
    """
    if not 0.0 <= epsilon <= 1.0:
        raise ValueError(f"epsilon is {epsilon}, which is no share: choose it in 0..1.")
    uniform = available.to(probabilities.dtype) / available.sum(-1, keepdim=True)
    return (1.0 - epsilon) * probabilities + epsilon * uniform


@dataclass(frozen=True)
class ExploringPolicy:
    """A policy that follows another one except for a share epsilon of uniform choices."""

    policy: Policy
    epsilon: float

    @property
    def name(self) -> str:
        """The name of the policy that is followed."""
        return self.policy.name

    def action_probabilities(
        self, context: Tensor, slot: Tensor, item_features: Tensor, available: Tensor
    ) -> Tensor:
        """The followed policy's probabilities, mixed with the uniform policy: [n, A]."""
        followed = self.policy.action_probabilities(context, slot, item_features, available)
        return mix_with_uniform(followed, available, self.epsilon)
