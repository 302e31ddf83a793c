"""Unseen segments: those that taught no learner and chose none, so that they show what it does on a new one.

They are the segments of the split `meta_test`, sealed by a salted hash. A learner adapts to their rounds
before the holdout, and the pooled model under it reads them in the refit; the holdout judges.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from features.simulator.world import LoggedRewards
from offline_rl.logged_data import LoggedRounds, Tasks


@dataclass(frozen=True, eq=False)
class Holdout:
    """n rounds that judge, over A actions, and what they judge by.

    q_hat: float64[n, A], by a reward model that was not fitted on them. truth: None in a real shop.
    """

    rounds: LoggedRounds
    q_hat: Tensor
    truth: LoggedRewards | None

    @property
    def segments(self) -> list[int]:
        """Which segments have rounds here, in rising order."""
        return [int(segment) for segment in torch.unique(self.rounds.segment)]


@dataclass(frozen=True, eq=False)
class UnseenSegment:
    """One of them.

    support: its rounds before the holdout. holdout: the m rounds that judge.
    q_hat: float64[m, A]. true_rewards: float64[m, A], None in a real shop.
    """

    segment: int
    support: LoggedRounds
    holdout: LoggedRounds
    q_hat: Tensor
    true_rewards: Tensor | None


def unseen_segments(tasks: Tasks, holdout: Holdout) -> list[int]:
    """The unseen segments that have rounds in the holdout, in rising order."""
    present = set(holdout.segments)
    return [segment for segment in tasks.split("meta_test") if segment in present]


def each_unseen(tasks: Tasks, holdout: Holdout) -> Iterator[UnseenSegment]:
    """Cut the unseen segments out one after another, so that no more than one is held at once."""
    for segment in unseen_segments(tasks, holdout):
        rows = torch.nonzero(holdout.rounds.segment == segment).flatten()
        truth = holdout.truth
        yield UnseenSegment(
            segment=segment,
            support=tasks.window("training", [segment]),
            holdout=holdout.rounds.select(rows),
            q_hat=holdout.q_hat[rows],
            true_rewards=None if truth is None else torch.from_numpy(truth.of_action[rows.numpy()]),
        )
