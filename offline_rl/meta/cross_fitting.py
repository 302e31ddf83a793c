"""Cross-fitting: q_hat of every item for rounds that its reward model hasn't seen."""

import torch
from torch import Tensor

from offline_rl.logged_data import LoggedRounds
from offline_rl.reward_model import RewardModel, fit_reward_model

FOLDS = 5


def cross_fitted_rewards(
    rounds: LoggedRounds, model: RewardModel, *, seed: int, folds: int = FOLDS
) -> Tensor:
    """Expected reward of every item [n, A], each round's by a model fitted on the other folds' segments.

    Whole segments are held out, because rounds of one segment say too much of one another.  All fits take the
    penalty and width of `model`, which also predicts where there is a single segment and nothing to fit on.
    Source: Chernozhukov et al. 2018, definition 3.1.
    """
    segments = torch.unique(rounds.segment)
    if len(segments) < 2:
        return model.predict(rounds.context, rounds.slot, rounds.item_features)
    order = torch.randperm(len(segments), generator=torch.Generator().manual_seed(seed)).to(segments.device)
    fold = (order % folds)[torch.searchsorted(segments, rounds.segment)]
    rewards = rounds.reward.new_zeros(rounds.n, rounds.n_actions)
    for held_out in range(min(folds, len(segments))):
        theirs = rounds.select(fold == held_out)
        fitted = fit_reward_model(
            rounds.select(fold != held_out),
            hidden=len(model.parameters["context_bias"]),
            penalties=(model.penalty,),
            seed=seed,
        )
        predicted = fitted.predict(theirs.context, theirs.slot, theirs.item_features)
        rewards[fold == held_out] = predicted.to(rewards)
    return rewards
