"""Shared fits: the fits that the learners of one domain have in common, each made once, when first needed.

Learners are compared from the same start, and most of a night's fits are of models that several of them use.
The caller makes one `SharedFits` and passes it to each learner, to the refit and to the choice of contenders;
the fits are freed with the object.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

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
        return self._pooled(self.training_rounds[0])

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

    @cached_property
    def all_rounds(self) -> LoggedRounds:
        """Rounds before the holdout of all segments: what the refit learns from."""
        return self._on_device.window("training")

    @cached_property
    def binary_rounds(self) -> LoggedRounds:
        """Those of segments with no other rewards than 0 and 1: others say nothing in a model's log-odds."""
        rounds = self.all_rounds
        if has_binary_rewards(rounds.reward):
            return rounds
        other = (rounds.reward != 0) & (rounds.reward != 1)
        return rounds.select(~torch.isin(rounds.segment, rounds.segment[other]))

    @cached_property
    def refitted_model(self) -> MixedModel:
        """The pooled model of `all_rounds`."""
        return self._pooled(self.all_rounds)

    @cached_property
    def refitted_binary_model(self) -> MixedModel:
        """The pooled model of `binary_rounds`, for what was learned in log-odds."""
        is_same = self.binary_rounds is self.all_rounds
        return self.refitted_model if is_same else self._pooled(self.binary_rounds)

    @cached_property
    def refitted_two_tower(self) -> RewardModel:
        """The warm start's network fitted again to all rounds in its units, with the same penalty."""
        model = self.warm_start.model
        rounds = self.binary_rounds if model.is_binary else self.all_rounds
        return refit_reward_model(model, rounds, seed=self.seed)

    def _pooled(self, rounds: LoggedRounds) -> MixedModel:
        with_factors = self.time_split.model.has_factors
        return fit_model(rounds, with_segments=False, with_factors=with_factors, seed=self.seed)
