"""Unseen segments: no learner was trained or chosen on them, so they show what it does on a new one.

They are the segments of the split `meta_test`, sealed by a salted hash. A learner adapts to their rounds
before the holdout, and the pooled model under it reads them in the refit; the holdout evaluates.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from offline_rl.logged_data import LoggedRounds, Tasks
from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.records import EvaluationRounds
from offline_rl.policies.policy import Policy
from offline_rl.serving import SegmentPolicies, evaluation_rounds, served_probabilities


@dataclass(frozen=True, eq=False)
class Truth:
    """The true rewards of n rounds, which a simulated shop knows.

    of_action: float64[n, A], with each of the A actions. of_log: float64[n], under the policy that logged.
    """

    of_action: Tensor
    of_log: Tensor

    def value(self, probabilities: Tensor | None) -> Tensor:
        """Return what each round earns, float64[n], by probabilities [n, A]; None for the logging policy."""
        return self.of_log if probabilities is None else (probabilities * self.of_action).sum(-1)


@dataclass(frozen=True, eq=False)
class Holdout:
    """n rounds to evaluate on, over A actions, with the reward model and the true rewards.

    q_hat: float64[n, A], by a reward model that was not fitted on them. truth: None in a real shop.
    """

    rounds: LoggedRounds
    q_hat: Tensor
    truth: Truth | None

    @property
    def segments(self) -> list[int]:
        """Which segments have rounds here, in rising order."""
        return [int(segment) for segment in torch.unique(self.rounds.segment)]

    def true_values(self, probabilities: Tensor | None) -> dict[int | None, float]:
        """Average the true reward over all rounds (None), and over those of each segment.

        probabilities: as in `Truth.value`. Without a truth there is nothing to average.
        """
        if self.truth is None:
            return {}
        earned = self.truth.value(probabilities)
        means: dict[int | None, float] = {None: float(earned.mean())}
        return means | {g: float(earned[self.rounds.segment == g].mean()) for g in self.segments}


@dataclass(frozen=True, eq=False)
class UnseenSegment:
    """An unseen segment.

    support: its rounds before the holdout. holdout: the m rounds to evaluate on.
    q_hat: float64[m, A]. true_rewards: float64[m, A], None in a real shop.
    """

    segment: int
    support: LoggedRounds
    holdout: LoggedRounds
    q_hat: Tensor
    true_rewards: Tensor | None


@dataclass(frozen=True, eq=False)
class SegmentValue:
    """The value of a policy on an unseen segment.

    value: doubly robust, unclipped. true_value: None in a real shop. terms: float64[m], what the m rounds
    contribute to the value. rounds: as the evaluation sees them.
    """

    value: float
    true_value: float | None
    terms: np.ndarray[tuple[int], np.dtype[np.float64]]
    rounds: EvaluationRounds


def unseen_segments(tasks: Tasks, holdout: Holdout) -> list[int]:
    """Return the unseen segments that have rounds in the holdout, in rising order."""
    present = set(holdout.segments)
    return [segment for segment in tasks.split("meta_test") if segment in present]


def each_unseen(tasks: Tasks, holdout: Holdout) -> Iterator[UnseenSegment]:
    """Cut the unseen segments out one after another, so that no more than one is held at once."""
    for segment in unseen_segments(tasks, holdout):
        rows = torch.nonzero(holdout.rounds.segment == segment).flatten()
        yield UnseenSegment(
            segment=segment,
            support=tasks.window("training", [segment]),
            holdout=holdout.rounds.select(rows),
            q_hat=holdout.q_hat[rows],
            true_rewards=None if holdout.truth is None else holdout.truth.of_action[rows],
        )


def value_on(unseen: UnseenSegment, policy: Policy, exploration: float) -> SegmentValue:
    """Return the value of a policy, adapted to a segment, on the segment's holdout.

    exploration: the share of uniform slates that it serves, as every policy of the night does.
    """
    serving = SegmentPolicies("", {unseen.segment: policy}, policy, exploration)
    probabilities = served_probabilities(serving, unseen.holdout)
    rounds, estimator = evaluation_rounds(unseen.holdout, probabilities, unseen.q_hat), from_name("dr")
    terms = estimator.terms(rounds)
    true_value = None
    if unseen.true_rewards is not None:
        true_value = float((probabilities * unseen.true_rewards).sum(-1).mean())
    return SegmentValue(float(estimator.value(terms.sum(axis=0))), true_value, terms[:, -1], rounds)
