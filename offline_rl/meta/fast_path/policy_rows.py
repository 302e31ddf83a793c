"""Policy rows: a batch of logged rounds, reduced to the numbers that a clipped policy loss is made of.

Everything that doesn't change with the policy is folded in once: reward, baseline, propensity, mask, the
number of rows and how far a task's support is trusted.  What is left costs the same for every row, so padding
needs no special case where speed matters.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class PolicyRows:
    """T tasks of N rows, with the loss  L_t(pi) = sum_i coefficient_i min(pi(a_i | x_i), ceiling_i).

    context [T, N, d], action [T, N], coefficient [T, N] (0 on padding), ceiling [T, N] (infinite where
    nothing is clipped), available [T, N, A] or None where every action could be shown.  A row whose logged
    action is above its ceiling has no gradient.
    """

    context: Tensor
    action: Tensor
    coefficient: Tensor
    ceiling: Tensor
    available: Tensor | None = None

    @property
    def tasks(self) -> int:
        """Number of tasks, T."""
        return int(self.action.shape[0])

    def select(self, tasks: Tensor) -> "PolicyRows":
        """The tasks at these indices, in this order: a gather on the device that the rows are on."""
        return self._each(lambda part: part.index_select(0, tasks))

    def chunk(self, first: int, size: int) -> "PolicyRows":
        """Views of `size` tasks from `first` on; fewer at the end."""
        return self._each(lambda part: part[first : first + size])

    def to(self, device: torch.device | str, dtype: torch.dtype) -> "PolicyRows":
        """The same rows on `device`, with every real-valued tensor in `dtype`."""
        return self._each(lambda part: part.to(device, dtype if part.is_floating_point() else part.dtype))

    def _each(self, change: Callable[[Tensor], Tensor]) -> "PolicyRows":
        return PolicyRows(
            context=change(self.context),
            action=change(self.action),
            coefficient=change(self.coefficient),
            ceiling=change(self.ceiling),
            available=None if self.available is None else change(self.available),
        )


def importance_weighted_rows(batch: dict[str, Tensor], *, clip: float) -> PolicyRows:
    """The rows of `offline_rl.objectives.importance_weighted_loss`, L = -mean min(rho A, min(rho, clip) A).

    batch: context [T, N, d], action, propensity, advantage, mask [T, N]; if there are any, "available"
    [T, N, A], and "trust" [T], by which a task's loss is multiplied.  With rho = pi / mu the coefficient is
    -A / (n mu), and the ceiling clip * mu where A > 0; a row with A < 0 keeps its gradient at any weight.

    Two rows with mu = 0.4, A = 1 and -1, clip 1.5:

    >>> rows = importance_weighted_rows({
    ...     "context": torch.zeros(1, 2, 1), "action": torch.tensor([[0, 1]]), "mask": torch.ones(1, 2),
    ...     "propensity": torch.tensor([[0.4, 0.4]]), "advantage": torch.tensor([[1.0, -1.0]])}, clip=1.5)
    >>> [round(value, 2) for value in (*rows.coefficient[0].tolist(), *rows.ceiling[0].tolist())]
    [-1.25, 1.25, 0.6, inf]
    """
    propensity, advantage = batch["propensity"], batch["advantage"]
    real = batch["mask"].to(advantage.dtype)
    share = real / real.sum(-1, keepdim=True).clamp_min(1.0)
    if "trust" in batch:
        share = share * batch["trust"].unsqueeze(-1)
    return PolicyRows(
        context=batch["context"],
        action=batch["action"],
        coefficient=-share * advantage / propensity,
        ceiling=torch.where(advantage < 0, torch.inf, clip * propensity),
        available=batch.get("available"),
    )
