"""The meta-test split: every policy on the same rows of the same unseen segments, true value and estimate."""

from dataclasses import dataclass

import numpy as np
import torch

from features.codes import Window
from flows.simulations.studies.study import Study
from offline_rl.comparison.curves import Adapter
from offline_rl.comparison.unseen import Holdout, Truth, UnseenSegment, each_unseen, value_on
from offline_rl.logged_data import LoggedRounds, Tasks
from offline_rl.meta.convergence import clustered_standard_error
from offline_rl.mixed_model.model import MixedModel
from offline_rl.ope.records import Floats


@dataclass(frozen=True, eq=False)
class MetaTestSplit:
    """The test segments of one study, in rising order.

    parts: the segments. logging, oracle: true values by segment, float64[G], of the logging policy and of
    the best policy, which explores as much as the others.
    exploration: share of uniform choice that every policy serves.
    """

    parts: tuple[UnseenSegment, ...]
    logging: Floats
    oracle: Floats
    exploration: float

    @property
    def segments(self) -> list[int]:
        """The positions of the segments."""
        return [part.segment for part in self.parts]

    def share(self, value: Floats) -> float:
        """Return the share of the gap from logging to oracle that true values by segment close.

        All segments have the same weight.
        """
        return float((value - self.logging).sum() / (self.oracle - self.logging).sum())


@dataclass(frozen=True, eq=False)
class SplitValues:
    """One policy on the split: by segment, float64[G], and by row in the order of the parts, float64[n].

    true: true value. dr: doubly robust estimate, unclipped, since the simulated log's weights are bounded.
    terms: its rows. weight: importance weights of the rows. reward: what they earned.
    """

    true: Floats
    dr: Floats
    terms: Floats
    weight: Floats
    reward: Floats


def meta_test_split(study: Study, tasks: Tasks, model: MixedModel, exploration: float) -> MetaTestSplit:
    """Return the test segments of a study that have rounds before the holdout and in it.

    model: fitted on training segments alone; it gives q_hat.
    """
    in_holdout = np.flatnonzero(study.arrays["window"] == Window.HOLDOUT)
    rounds = tasks.window("holdout")
    of_action = torch.from_numpy(study.q_true[in_holdout]).double()
    logging, best = (torch.from_numpy(of[in_holdout]) for of in (study.logging_value, study.oracle_value))
    holdout = Holdout(
        rounds,
        q_hat=model.expected_rewards(rounds).cpu().double(),
        truth=Truth(of_action, logging),
    )
    parts = tuple(part for part in each_unseen(tasks, holdout) if part.support.n > 0)
    of_segment = [rounds.segment == part.segment for part in parts]
    uniform = (_uniform(rounds) * of_action).sum(-1)
    oracle = (1 - exploration) * best + exploration * uniform
    return MetaTestSplit(
        parts,
        logging=np.array([float(logging[rows].mean()) for rows in of_segment]),
        oracle=np.array([float(oracle[rows].mean()) for rows in of_segment]),
        exploration=exploration,
    )


def evaluate_on_split(adapt: Adapter, split: MetaTestSplit) -> SplitValues:
    """Adapt a policy to every test segment and evaluate it on that segment's holdout."""
    found = [value_on(part, adapt(part), split.exploration) for part in split.parts]
    return SplitValues(
        true=np.array([one.true_value for one in found]),
        dr=np.array([one.value for one in found]),
        terms=np.concatenate([one.terms for one in found]),
        weight=np.concatenate([one.rounds.weight for one in found]),
        reward=np.concatenate([one.rounds.reward for one in found]),
    )


def gain_in_errors(values: SplitValues, baseline: SplitValues, split: MetaTestSplit) -> Floats:
    """Return by segment the estimated gain over a baseline in its standard errors; 0 where both are equal."""
    lengths = [part.holdout.n for part in split.parts]
    gains = np.split(values.terms - baseline.terms, np.cumsum(lengths)[:-1])
    found = []
    for gain, part in zip(gains, split.parts, strict=True):
        error = clustered_standard_error(torch.from_numpy(gain), part.holdout.cluster)
        found.append(float(gain.mean()) / error if error > 0 else 0.0)
    return np.array(found)


def _uniform(rounds: LoggedRounds) -> torch.Tensor:
    available = rounds.availability().double()
    return available / available.sum(-1, keepdim=True)
