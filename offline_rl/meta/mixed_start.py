"""Mixed start: gradient learners begin with the pooled mixed model, and learn what it leaves.

The mixed model's scores are the offset of every round, and a two-tower network adds its own to them. At
first it adds nothing: the items' tower is zero and the contexts' is not, so that theta_0 serves what the
pooled model serves, and a gradient finds its way from there all the same. A learner's gain then is a gain
over the strongest plain model.
Source: McCullagh & Nelder 1989, section 2.2, for offsets.
"""

from dataclasses import replace

import torch

from offline_rl.logged_data import LoggedRounds, Tasks
from offline_rl.meta.time_split import TimeSplit
from offline_rl.meta.validation import Validation
from offline_rl.meta.warm_start import (
    FLATTERED,
    WarmStart,
    own_validation_segments,
    training_segments,
    with_both_windows,
)
from offline_rl.mixed_model.model import MixedModel, with_offset
from offline_rl.reward_model import RewardModel, random_towers

PENALTY = 100.0
"""Prior precision of the network's weights: a deviation of 0.1, on the scale of log-odds."""


def mixed_start(tasks: Tasks, split: TimeSplit, pooled: MixedModel, *, hidden: int, seed: int) -> WarmStart:
    """Return the pooled mixed model with a network of this width on top, read out as the mixed model is.

    Without a meta_validation segment the query rounds of the training segments are the validation rounds, and
    the start stays the model that has not seen them: that of the split.
    tasks: on the device that learns. pooled: the pooled model of the training rounds. hidden: width of both
    towers.
    Raises InputDataError if there are no rounds to learn from.
    """
    segments, notes = training_segments(tasks)
    validating = with_both_windows(tasks, tasks.split("meta_validation"))
    if validating:
        model, validated = pooled, Validation.crossed
    else:
        model, validated = split.model, Validation.ahead
        validating = own_validation_segments(tasks, segments)
        notes.append(FLATTERED)
    rounds = _with_offset(model, tasks)
    network = _network(model, rounds.rounds, hidden, seed)
    return WarmStart(
        support=rounds.window("support", segments),
        query=rounds.window("query", segments),
        training=rounds.window("training", segments),
        segments=tuple(segments),
        model=network,
        temperature=split.temperature,
        validation=validated(rounds, validating, network),
        notes=tuple(notes),
        offset=model,
    )


def _with_offset(model: MixedModel, tasks: Tasks) -> Tasks:
    """Return the tasks before the holdout, with the model's offset: learners use no other rounds."""
    known = tasks.window_code <= 1
    rounds = with_offset(model, tasks.rounds.select(known))
    return replace(tasks, rounds=rounds, window_code=tasks.window_code[known], origin=None)


def _network(model: MixedModel, rounds: LoggedRounds, hidden: int, seed: int) -> RewardModel:
    """Return a network that adds nothing yet, in the mixed model's units."""
    parameters = random_towers(rounds, hidden, torch.Generator().manual_seed(seed))
    for name in ("item_weight", "item_bias"):
        parameters[name] = torch.zeros_like(parameters[name])
    return RewardModel(parameters, model.is_binary, model.reward_scale, PENALTY)
