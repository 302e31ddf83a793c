"""Refit: before it serves, the pooled model has seen every segment's rounds.

Learners are chosen with a pooled model that has seen no validation and no test segment, or validation would
be flattered.  Who serves has no such need: everything before the holdout may teach.  In simulated shops that
is worth more than adapting where contexts tell segments apart, and little where they don't
(`offline_rl/meta/LEARNERS.md`).
"""

from dataclasses import replace
from functools import lru_cache

import torch

from offline_rl.device import training_device
from offline_rl.logged_data import LoggedRounds, Tasks
from offline_rl.meta.gradient_meta_policy import GradientMetaPolicy
from offline_rl.meta.learner import LearningSettings, MetaPolicy
from offline_rl.meta.time_split import FittedPolicy, pooled_model
from offline_rl.meta.warm_start import warm_start
from offline_rl.reward_model import RewardModel, has_binary_rewards, refit_reward_model


def refitted(policy: MetaPolicy, tasks: Tasks, settings: LearningSettings, seed: int) -> MetaPolicy:
    """The policy upon the pooled model fitted on all rounds before the holdout, as it is to serve.

    What is fitted in one go is fitted again, variances and all.  What was learned upon a mixed model is put
    upon the one of all rounds.  For the others the two-tower model's penalty, the temperature, and how far
    segments are followed stay as validation chose them.
    tasks, settings, seed: those that the policy was learned from.
    """
    if isinstance(policy, FittedPolicy):
        return policy.fitted_again(_all_rounds(tasks), seed)
    if isinstance(policy, GradientMetaPolicy) and policy.offset is not None:
        rounds = _in_units(tasks, is_binary=policy.offset.is_binary)
        return replace(policy, offset=pooled_model(rounds, policy.offset.has_factors, seed))
    before = warm_start(tasks, settings.hidden, seed).model
    return policy.upon(_of_all_rounds(tasks, settings.hidden, seed).parameters, before.parameters)


# The policies of one night stand upon the same rounds and the same fits.
@lru_cache(maxsize=2)
def _all_rounds(tasks: Tasks) -> LoggedRounds:
    return tasks.to(training_device(), torch.float32).window("training")


@lru_cache(maxsize=2)
def _of_all_rounds(tasks: Tasks, hidden: int, seed: int) -> RewardModel:
    model = warm_start(tasks, hidden, seed).model
    return refit_reward_model(model, _in_units(tasks, is_binary=model.is_binary), seed=seed)


def _in_units(tasks: Tasks, *, is_binary: bool) -> LoggedRounds:
    """All rounds before the holdout; for a model of probabilities, those that are in its units."""
    rounds = _all_rounds(tasks)
    return _of_probabilities(rounds) if is_binary and not has_binary_rewards(rounds.reward) else rounds


def _of_probabilities(rounds: LoggedRounds) -> LoggedRounds:
    """The rounds of segments with no other rewards than 0 and 1: others say nothing in a model's log-odds."""
    other = (rounds.reward != 0) & (rounds.reward != 1)
    return rounds.select(~torch.isin(rounds.segment, rounds.segment[other]))
