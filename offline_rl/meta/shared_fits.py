"""Shared fits: the fits that the learners of one domain have in common, each made once, when first needed.

Learners are compared from the same start, and most of a night's fits are of models that several of them use.
The caller makes one `SharedFits` and passes it to each learner, to the refit and to the choice of contenders;
the fits are freed with the object.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import torch
from torch import Tensor

from features.contracts.findings import Finding
from offline_rl.device import training_device
from offline_rl.logged_data import LoggedRounds, Tasks
from offline_rl.meta.cross_fitting import cross_fitted_scores
from offline_rl.meta.learning_settings import LearningSettings
from offline_rl.meta.mixed_start import mixed_start
from offline_rl.meta.time_split import TimeSplit, time_split, training_rounds
from offline_rl.meta.warm_start import WarmStart, warm_start
from offline_rl.mixed_model.model import MixedModel, fit_model
from offline_rl.reward_model import RewardModel, has_binary_rewards, refit_reward_model


@dataclass(frozen=True, eq=False)
class SharedFits:
    """Tasks, settings and seed to learn with, and the fits that follow from them.

    All rounds and models here are on the device that learns, real-valued tensors in float32.
    Each property raises InputDataError if it finds no rounds to learn from.
    """

    tasks: Tasks
    settings: LearningSettings
    seed: int

    @property
    def _on_device(self) -> Tasks:
        """A copy where the device or the type is another: not kept beside the windows that are made of it."""
        return self.tasks.to(training_device(), torch.float32)

    @cached_property
    def training_rounds(self) -> tuple[LoggedRounds, Sequence[Finding]]:
        """Rounds before the holdout of the segments that teach, and notes on them."""
        return training_rounds(self._on_device)

    @cached_property
    def time_split(self) -> TimeSplit:
        """Rounds that learners fitted in one go are evaluated on, and the choice of history factors."""
        return time_split(self._on_device, seed=self.seed)

    @cached_property
    def pooled_model(self) -> MixedModel:
        """The mixed model without segments of `training_rounds`."""
        return self.pooled_model_of(self.training_rounds[0])

    @cached_property
    def mixed_start(self) -> WarmStart:
        """The pooled model with a network on top, where gradient learners and `reinforce` begin."""
        return mixed_start(
            self._on_device, self.time_split, self.pooled_model, hidden=self.settings.hidden, seed=self.seed
        )

    @cached_property
    def warm_start(self) -> WarmStart:
        """The two-tower network by itself, where all others that take a start begin."""
        return warm_start(self._on_device, hidden=self.settings.hidden, seed=self.seed)

    @cached_property
    def cross_fitted_scores(self) -> Tensor:
        """Scores [n] of the warm start's training rounds, by networks that have not seen their segment."""
        start = self.warm_start
        return cross_fitted_scores(start.training, start.model, seed=self.seed)

    def window(self, name: str) -> LoggedRounds:
        """Return the rounds of all segments in one window, see `Tasks.window`."""
        return self._on_device.window(name)

    def pooled_model_of(self, rounds: LoggedRounds) -> MixedModel:
        """Return the mixed model without segments of these rounds."""
        with_factors = self.time_split.model.has_factors
        return fit_model(rounds, with_segments=False, with_factors=with_factors, seed=self.seed)


@dataclass(frozen=True, eq=False)
class Refits:
    """The fits that policies are put on after they have been chosen, each made once, when first needed.

    rounds: those of all segments that teach. fits: those that the policies were learned from.
    """

    fits: SharedFits
    rounds: LoggedRounds

    @classmethod
    def before_holdout(cls, fits: SharedFits) -> Self:
        """Return those of all rounds before the holdout, for policies that are evaluated on it."""
        return cls(fits, fits.window("training"))

    @classmethod
    def last(cls, fits: SharedFits) -> Self:
        """Return those of all rounds whose rewards are known, for what serves tomorrow."""
        return cls(fits, fits.window("known"))

    @cached_property
    def binary_rounds(self) -> LoggedRounds:
        """Those of segments with no other rewards than 0 and 1: others say nothing in a model's log-odds."""
        if has_binary_rewards(self.rounds.reward):
            return self.rounds
        reward, segment = self.rounds.reward, self.rounds.segment
        return self.rounds.select(~torch.isin(segment, segment[(reward != 0) & (reward != 1)]))

    @cached_property
    def model(self) -> MixedModel:
        """The pooled model of the rounds."""
        return self.fits.pooled_model_of(self.rounds)

    @cached_property
    def binary_model(self) -> MixedModel:
        """The pooled model of `binary_rounds`, for what was learned in log-odds."""
        is_same = self.binary_rounds is self.rounds
        return self.model if is_same else self.fits.pooled_model_of(self.binary_rounds)

    @cached_property
    def two_tower(self) -> RewardModel:
        """The warm start's network fitted again to all rounds in its units, with the same penalty."""
        model = self.fits.warm_start.model
        rounds = self.binary_rounds if model.is_binary else self.rounds
        return refit_reward_model(model, rounds, seed=self.fits.seed)
