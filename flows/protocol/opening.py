"""Opening the test split: every policy on the same rows of the same unseen segments, by truth and guess."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from flows.curve_amounts import first_rounds
from flows.protocol.study import Study
from offline_rl.logged_data import LoggedRounds, Tasks
from offline_rl.meta.convergence import clustered_standard_error
from offline_rl.mixed_model.model import MixedModel
from offline_rl.objectives import doubly_robust_terms
from offline_rl.policies.policy import Policy

Floats = NDArray[np.float64]
Adapter = Callable[[LoggedRounds], Policy]
"""Support of a segment → the policy that serves it."""


@dataclass(frozen=True, eq=False)
class Part:
    """One test segment.

    support: its rounds before the holdout.  holdout: the m rounds that judge.
    q_true: float64[m, A], the truth.  q_hat: float64[m, A], by the pooled model of the training segments.
    logging, oracle: what the logging policy and the best policy earn in the holdout, by truth.
    """

    segment: int
    support: LoggedRounds
    holdout: LoggedRounds
    q_true: Tensor
    q_hat: Tensor
    logging: float
    oracle: float


@dataclass(frozen=True, eq=False)
class Opening:
    """The test segments of one study, in rising order.

    exploration: share of uniform choice that every policy serves.
    """

    parts: tuple[Part, ...]
    exploration: float

    @property
    def segments(self) -> list[int]:
        """Which segments there are."""
        return [part.segment for part in self.parts]

    @property
    def logging(self) -> Floats:
        """True value of the logging policy by segment."""
        return np.array([part.logging for part in self.parts])

    @property
    def oracle(self) -> Floats:
        """True value of the best policy by segment, exploring like everybody."""
        return np.array([part.oracle for part in self.parts])

    def share(self, value: Floats) -> float:
        """Share of the gap from logging to oracle that true values by segment close; segments count alike."""
        return float((value - self.logging).sum() / (self.oracle - self.logging).sum())


@dataclass(frozen=True, eq=False)
class Values:
    """One policy on an opening: by segment, float64[G], and by row in the order of the parts, float64[n].

    true: true value.  dr: doubly robust estimate, unclipped, since the simulated log's weights are bounded.
    terms: its rows.  weight: importance weights of the rows.  reward: what they earned.
    """

    true: Floats
    dr: Floats
    terms: Floats
    weight: Floats
    reward: Floats


def open_test(study: Study, tasks: Tasks, model: MixedModel, exploration: float) -> Opening:
    """Take the test segments that have rounds in both windows out of the study.

    model: fitted on training segments alone; it gives q_hat.
    """
    codes = study.arrays["window"]
    parts = []
    for segment in tasks.split("meta_test"):
        support = tasks.window("training", [segment])
        rows = np.flatnonzero((study.arrays["segment"] == segment) & (codes == 2))
        if support.n == 0 or len(rows) == 0:
            continue
        holdout = tasks.rounds.select(torch.from_numpy(rows))
        q_true = torch.from_numpy(study.q_true[rows]).double()
        uniform = float((_uniform(holdout) * q_true).sum(-1).mean())
        parts.append(
            Part(
                segment=segment,
                support=support,
                holdout=holdout,
                q_true=q_true,
                q_hat=model.expected_rewards(holdout).cpu(),
                logging=float(study.logging_value[rows].mean()),
                oracle=(1 - exploration) * float(study.oracle_value[rows].mean()) + exploration * uniform,
            )
        )
    return Opening(tuple(parts), exploration)


def judge(adapt: Adapter, opening: Opening, support_of: Mapping[int, LoggedRounds] | None = None) -> Values:
    """Adapt to the support of every test segment and judge on its holdout.

    support_of: other supports than the segments' own, for curves and controls.
    """
    true, dr, terms, weights = [], [], [], []
    for part in opening.parts:
        support = part.support if support_of is None else support_of[part.segment]
        rounds = part.holdout
        probabilities = (
            adapt(support)
            .action_probabilities(
                rounds.context, rounds.slot, rounds.item_features, rounds.availability(), rounds.history
            )
            .cpu()
        )
        served = (1 - opening.exploration) * probabilities + opening.exploration * _uniform(rounds)
        of_rows = doubly_robust_terms(
            served, rounds.action, rounds.propensity, rounds.reward, part.q_hat.double()
        )
        logged = served.gather(-1, rounds.action.unsqueeze(-1)).squeeze(-1)
        true.append(float((served * part.q_true).sum(-1).mean()))
        dr.append(float(of_rows.mean()))
        terms.append(of_rows.numpy())
        weights.append((logged / rounds.propensity).numpy())
    return Values(
        true=np.array(true),
        dr=np.array(dr),
        terms=np.concatenate(terms),
        weight=np.concatenate(weights),
        reward=np.concatenate([part.holdout.reward.numpy() for part in opening.parts]),
    )


def gain_in_errors(values: Values, baseline: Values, opening: Opening) -> Floats:
    """By segment, the estimated gain over a baseline in its standard errors; 0 where they are the same."""
    lengths = [part.holdout.n for part in opening.parts]
    gains = np.split(values.terms - baseline.terms, np.cumsum(lengths)[:-1])
    found = []
    for gain, part in zip(gains, opening.parts, strict=True):
        error = clustered_standard_error(torch.from_numpy(gain), part.holdout.cluster)
        found.append(float(gain.mean()) / error if error > 0 else 0.0)
    return np.array(found)


def first_supports(opening: Opening, at_most: int) -> dict[int, LoggedRounds]:
    """At most so many rounds of each support, see `flows.curve_amounts`."""
    return {part.segment: first_rounds(part.support, part.segment, at_most) for part in opening.parts}


def _uniform(rounds: LoggedRounds) -> Tensor:
    available = rounds.availability().double()
    return available / available.sum(-1, keepdim=True)
