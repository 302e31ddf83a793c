"""Convergence: when to stop meta-training, which step to keep, and whether adaptation pays at all.

Everything is evaluated on rounds of segments that were not trained on, by paired differences on the same
rounds, so that the noise which two policies share cancels.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from offline_rl.two_tower import Parameters

SMOOTHING = 0.7
"""Weight of the past in the exponential moving average of the terms: about three checkpoints are averaged."""


def clustered_standard_error(terms: Tensor, cluster: Tensor) -> float:
    """Return the standard error of the mean of terms [n] whose noise is shared inside clusters [n].

        se = sqrt(sum_c (sum_{i in c} (term_i - mean))^2) / n

    Two clusters of two equal rounds each say no more than two rounds:

    >>> clustered_standard_error(torch.tensor([1.0, 1.0, 3.0, 3.0]), torch.tensor([0, 0, 1, 1]))
    0.7071067811865476
    """
    # On the CPU, where sums run in one order: on a GPU the order of a scattered sum changes from run to run.
    exact = terms.detach().to("cpu", torch.float64)
    _, position = torch.unique(cluster.to("cpu"), return_inverse=True)
    sums = torch.bincount(position, weights=exact - exact.mean())
    return math.sqrt(float(sums.square().sum())) / len(exact)


def sure_gain(gain: Tensor, *clusters: Tensor, errors: float = 1.0) -> float:
    """Return the mean of paired differences less some clustered standard errors: above 0 for a sure gain.

    Of several ways to cluster (rounds of one user are alike, and so are those of one segment) the one with
    the larger error counts.
    """
    return float(gain.double().mean()) - errors * largest_error(gain, clusters)


def largest_error(gain: Tensor, clusters: Sequence[Tensor]) -> float:
    """Return the largest clustered standard error of the mean of `gain`."""
    return max(clustered_standard_error(gain, cluster) for cluster in clusters)


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Validation at one step: per-round terms of which a higher mean is better, all on the same rounds.

    adapted, zero_shot: with and without adaptation, in the learner's own criterion (log-likelihood of the
    rewards, or doubly robust value). values, zero_shot_values: the same policies' doubly robust terms, whose
    means readers are shown. parameters: the meta-parameters at that step.
    """

    step: int
    adapted: Tensor
    zero_shot: Tensor
    values: Tensor
    zero_shot_values: Tensor
    parameters: Parameters

    @property
    def value(self) -> float:
        """Doubly robust value with adaptation."""
        return float(self.values.mean())

    @property
    def zero_shot_value(self) -> float:
        """Doubly robust value without adaptation."""
        return float(self.zero_shot_values.mean())


@dataclass(frozen=True, eq=False)
class Convergence:
    """The state of training: the best checkpoint, the smoothed terms now and then, and the count since."""

    cluster: Tensor
    patience: int
    first: Checkpoint
    best: Checkpoint
    smoothed: Tensor
    best_smoothed: Tensor
    checkpoints_since_best: int = 0

    @classmethod
    def start(cls, first: Checkpoint, cluster: Tensor, patience: int) -> "Convergence":
        """Return the state at step 0: the warm start is the checkpoint to beat."""
        return cls(cluster, patience, first, first, first.adapted, first.adapted)

    def after(self, checkpoint: Checkpoint) -> "Convergence":
        """Return the state after another checkpoint: a later one becomes the best by a sure gain alone."""
        smoothed = SMOOTHING * self.smoothed + (1.0 - SMOOTHING) * checkpoint.adapted
        if sure_gain(smoothed - self.best_smoothed, self.cluster) > 0.0:
            return replace(
                self, best=checkpoint, smoothed=smoothed, best_smoothed=smoothed, checkpoints_since_best=0
            )
        return replace(self, smoothed=smoothed, checkpoints_since_best=self.checkpoints_since_best + 1)

    @property
    def is_over(self) -> bool:
        """Whether patience has run out."""
        return self.checkpoints_since_best >= self.patience

    @property
    def adaptation_pays(self) -> bool:
        """Whether, at the best step, adapting beats not adapting by more than one paired standard error."""
        return sure_gain(self.best.adapted - self.best.zero_shot, self.cluster) > 0.0
