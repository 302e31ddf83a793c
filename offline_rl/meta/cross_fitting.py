"""Cross-fitting: predictions for rounds by reward models that haven't seen their segment.

Whole segments are held out, because rounds of one segment say too much of one another.
Source: Chernozhukov et al. 2018, definition 3.1.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from offline_rl.logged_data import LoggedRounds
from offline_rl.meta.effects_meta_policy import logged_pooled_score
from offline_rl.reward_model import RewardModel, refit_reward_model

FOLDS = 3
"""Folds of segments: each adds a fit of the pooled model on the rounds of all the others."""


def held_out_folds(
    rounds: LoggedRounds, model: RewardModel, *, seed: int
) -> Iterator[tuple[Tensor, RewardModel]]:
    """Yield which rounds are held out, bool [n], and the model of the other folds' segments.

    All take their penalty, width and units from `model`, which itself comes with all rounds where there is a
    single segment and nothing else to fit on.
    """
    segments, position = torch.unique(rounds.segment, return_inverse=True)
    if len(segments) < 2:
        yield torch.ones_like(position, dtype=torch.bool), model
        return
    order = torch.randperm(len(segments), generator=torch.Generator().manual_seed(seed))
    fold_of = torch.empty_like(order)
    fold_of[order] = torch.arange(len(segments)) % min(FOLDS, len(segments))
    fold = fold_of.to(position.device)[position]
    for number in range(min(FOLDS, len(segments))):
        held_out = fold == number
        yield held_out, refit_reward_model(model, rounds.select(~held_out), seed=seed)


def cross_fitted_rewards(rounds: LoggedRounds, model: RewardModel, *, seed: int) -> Tensor:
    """Return the expected reward of every item [n, A]."""
    rewards = rounds.reward.new_zeros(rounds.n, rounds.n_actions)
    for held_out, fitted in held_out_folds(rounds, model, seed=seed):
        theirs = rounds.select(held_out)
        rewards[held_out] = fitted.expected_rewards(theirs).to(rewards)
    return rewards


def cross_fitted_scores(rounds: LoggedRounds, model: RewardModel, *, seed: int) -> Tensor:
    """Return the score of every round's logged item [n]."""
    scores = torch.zeros_like(rounds.reward)
    for held_out, fitted in held_out_folds(rounds, model, seed=seed):
        scores[held_out] = logged_pooled_score(fitted.parameters, rounds.select(held_out))
    return scores
