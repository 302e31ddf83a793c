"""Rolling origins: one way of learning, evaluated on most of a log instead of on its last quarter.

At each origin a policy is learned anew from the rounds before it and evaluated on those from it to the next
origin. No policy is evaluated on a round that it was fitted on, so estimates add up over origins: about three
times the holdout's rounds, and standard errors 0.6 times as large. The way of learning is evaluated: the
policies of early origins knew less than the one that will serve, so the estimate is cautious.
Source: Tashman 2000, "Out-of-sample tests of forecasting accuracy: an analysis and review".
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from offline_rl.logged_data import LoggedRounds, Tasks

ENOUGH = 100_000
"""Least rounds of a holdout that is evaluated alone: its intervals are narrow, and more fits take minutes."""


@dataclass(frozen=True, eq=False)
class Origin:
    """One origin: the rounds known before it, and the places of those that are evaluated from it.

    is_last: whether it is the holdout's, for which the night has fitted its policies already.
    """

    training: LoggedRounds
    evaluated: Tensor
    is_last: bool


def rolls(tasks: Tasks) -> bool:
    """Return whether a log has earlier origins than the holdout's, and a small enough holdout."""
    if tasks.origin is None:
        return False
    last = tasks.origin == tasks.origin.max()
    return int(last.sum()) < ENOUGH and len(torch.unique(tasks.origin[tasks.origin > 0])) > 1


def origins(tasks: Tasks) -> Iterator[Origin]:
    """Yield the origins of a log that `rolls`, in the order of time; none where nothing came before it.

    A round that came too soon after an origin to be evaluated may teach at the next one.
    """
    assert tasks.origin is not None, "check `rolls` first"
    is_taught = tasks.window_code <= 1
    last = int(tasks.origin.max())
    for origin in range(1, last + 1):
        known = is_taught & (tasks.origin.abs() < origin)
        evaluated = torch.nonzero(tasks.origin == origin).flatten()
        if bool(known.any()) and len(evaluated):
            yield Origin(tasks.rounds.select(known), evaluated, is_last=origin == last)


def gate_rounds_per_query(tasks: Tasks) -> float:
    """Return how many rounds the gate will evaluate for each round of the query window."""
    query = int((tasks.window_code == 1).sum())
    evaluated = tasks.origin > 0 if rolls(tasks) and tasks.origin is not None else tasks.window_code == 2
    return int(evaluated.sum()) / query if query and bool(evaluated.any()) else 1.0
