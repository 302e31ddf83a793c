"""The inner step: how far adaptation moves each tensor, and what of that is meta-learned.

Learned numbers are meta-parameters like the network's, under names of their own, so that one optimizer moves
both and the best checkpoint restores both. They are learned as logarithms: a rate stays positive, and a step
of the optimizer changes it by a share of itself.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch import Tensor

from offline_rl.meta.adaptation import StepSize
from offline_rl.meta.segment_objective import SegmentObjective
from offline_rl.meta.task_batches import Batch
from offline_rl.two_tower import NAMES

HEAD = ("item_linear", "item_effect", "level_linear", "level")
"""The tensors that the score is linear in, given the towers: what ANIL adapts.

For them the inner loss is convex (a generalized linear model on the items' features), so few rounds and any
safe step suffice; the towers u and v, which enter as a product inside tanh, are features that all segments
share. `level` and `level_linear` don't change a choice, but without them a segment that clicks more would
change its items' effects instead.
"""

_RATE, _SHRINKAGE = "log_rate.", "log_shrinkage"


@dataclass(frozen=True)
class InnerStep:
    """The step of one learner, and its learned numbers among the meta-parameters.

        theta_{k+1}[j] = theta_k[j] - alpha_jk * information / (information + kappa) * grad_j L(theta_k)

    for the tensors j that move. alpha_jk is inner_lr, or with learns_rates exp(log_rate.j[k]) (Li et al.
    2017, "Meta-SGD", per tensor and step as in Antoniou et al. 2019); kappa is the objective's shrinkage, or
    with learns_shrinkage exp(log_shrinkage). Both start at the fixed values.
    """

    inner_lr: float
    inner_steps: int
    moved: tuple[str, ...] = NAMES
    learns_rates: bool = False
    learns_shrinkage: bool = False

    def learned(self, objective: SegmentObjective, like: Tensor) -> dict[str, Tensor]:
        """Return the learned numbers' starting values, on the device and in the dtype of `like`."""
        numbers = {}
        if self.learns_rates:
            for name in self.moved:
                numbers[_RATE + name] = like.new_full((self.inner_steps,), _log(self.inner_lr))
        if self.learns_shrinkage:
            numbers[_SHRINKAGE] = like.new_tensor(_log(objective.shrinkage))
        return numbers

    def size(self, meta: Mapping[str, Tensor]) -> StepSize:
        """Return alpha: one number, or the rates [inner_steps] of the tensors that move."""
        if self.learns_rates:
            return {name: meta[_RATE + name].exp() for name in self.moved}
        if self.moved == NAMES:
            return self.inner_lr
        like = meta[self.moved[0]]
        return {name: like.new_full((self.inner_steps,), self.inner_lr) for name in self.moved}

    def on(
        self, meta: Mapping[str, Tensor], objective: SegmentObjective, support: Batch
    ) -> tuple[Batch, StepSize]:
        """Return the support and the step size to adapt to it with, trust included.

        A learned kappa multiplies the rates, [inner_steps, tasks], instead of the loss, so that its gradient
        survives the first order, in which the loss's own gradient is a constant.
        """
        size = self.size(meta)
        if not self.learns_shrinkage:
            return objective.as_support(support), size
        information = objective.information(support)
        trust = information / (information + meta[_SHRINKAGE].exp())
        if isinstance(size, float):
            size = {name: trust.new_full((self.inner_steps,), size) for name in self.moved}
        return support, {name: rate.unsqueeze(-1) * trust for name, rate in size.items()}

    def objective(self, meta: Mapping[str, Tensor], objective: SegmentObjective) -> SegmentObjective:
        """Return the objective with the kappa that was learned, if it was."""
        if not self.learns_shrinkage:
            return objective
        return replace(objective, shrinkage=float(meta[_SHRINKAGE].detach().exp()))


def network_of(meta: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the network's tensors among the meta-parameters."""
    return {name: value for name, value in meta.items() if not is_learned_number(name)}


def is_learned_number(name: str) -> bool:
    """Return whether a meta-parameter is a learned rate or kappa, and no tensor of the network."""
    return name.startswith(_RATE) or name == _SHRINKAGE


def _log(value: float) -> float:
    # A rate or kappa that starts at 0 could never leave it.
    return math.log(max(value, 1e-6))
