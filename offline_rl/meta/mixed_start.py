"""Mixed start: gradient learners begin with the pooled mixed model, and learn what it leaves.

The mixed model's scores are the offset of every round, and a two-tower network adds its own to them: first
fitted on what the offset leaves unexplained, which is close to nothing where the mixed model says all there
is to say, then moved by whatever the learner does.  So theta_0 serves what the pooled model serves, and a
learner's gain is a gain over the strongest plain model.
Source: McCullagh & Nelder 1989, section 2.2, for offsets.
"""

from dataclasses import replace
from functools import lru_cache

import torch

from offline_rl.logged_data import LoggedRounds, Tasks, training_device
from offline_rl.meta.time_split import pooled_model, time_split, training_rounds
from offline_rl.meta.validation import Validation
from offline_rl.meta.warm_start import (
    FLATTERED,
    WarmStart,
    judging_themselves,
    training_segments,
    with_both_windows,
)
from offline_rl.mixed_model.model import MixedModel, upon
from offline_rl.reward_model import fit_reward_model

ENOUGH = 50_000
"""Rounds that say how much the mixed model leaves: mostly hardly anything, and a fit of all takes minutes."""

PENALTIES = (100.0, 1000.0, 10_000.0)
"""Prior precisions tried for what the mixed model leaves: the last one leaves it at that."""


@lru_cache(maxsize=2)
def mixed_start(tasks: Tasks, hidden: int, seed: int) -> WarmStart:
    """The pooled mixed model with a network of this width on top, read out as the mixed model is.

    Without a meta_validation segment the query rounds of the training segments judge, and the start stays the
    model that has not seen them.
    Raises InputDataError if there are no rounds to learn from.
    """
    on_device = tasks.to(training_device(), torch.float32)
    segments, notes = training_segments(on_device)
    judges = with_both_windows(on_device, on_device.split("meta_validation"))
    split = time_split(tasks, seed)
    if judges:
        model = pooled_model(training_rounds(tasks)[0], split.model.has_factors, seed)
    else:
        model, judges = split.model, judging_themselves(on_device, segments)
        notes.append(FLATTERED)
    rounds = _upon(model, on_device)
    is_ahead = model is split.model
    fitted_on = rounds.window("support" if is_ahead else "training", segments)
    network = fit_reward_model(enough_of(fitted_on), hidden=hidden, penalties=PENALTIES, seed=seed)
    judged = Validation.ahead if is_ahead else Validation.crossed
    return WarmStart(
        support=rounds.window("support", segments),
        query=rounds.window("query", segments),
        training=rounds.window("training", segments),
        segments=tuple(segments),
        model=network,
        temperature=split.temperature,
        validation=judged(rounds, judges, network),
        notes=tuple(notes),
        offset=model,
    )


def enough_of(rounds: LoggedRounds) -> LoggedRounds:
    """The rounds, or of a large log those of randomly drawn clusters, about ENOUGH rounds."""
    if rounds.n <= ENOUGH:
        return rounds
    cluster, place, size = torch.unique(rounds.cluster, return_inverse=True, return_counts=True)
    drawn = torch.randperm(len(cluster), generator=torch.Generator().manual_seed(0)).to(size.device)
    is_chosen = torch.zeros_like(drawn, dtype=torch.bool)
    # The one that passes the limit is in, so that there always is one.
    is_chosen[drawn[size[drawn].cumsum(0) - size[drawn] < ENOUGH]] = True
    return rounds.select(is_chosen[place])


def _upon(model: MixedModel, tasks: Tasks) -> Tasks:
    """The tasks before the holdout, upon the model: nobody learns from the rest, which only takes memory."""
    known = tasks.window_code <= 1
    rounds = upon(model, tasks.rounds.select(known))
    return replace(tasks, rounds=rounds, window_code=tasks.window_code[known], origin=None)
