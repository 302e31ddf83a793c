"""Slates as rounds of a bandit, so that diagnostics, intervals and the gate for rounds serve them too."""

import numpy as np

from offline_rl.ope.records import EvaluationRounds
from offline_rl.ope.slates.records import Propensities, SlateRounds
from offline_rl.ope.trust.diagnostics import effective_size


def whole_slates(rounds: SlateRounds, seen: Propensities) -> EvaluationRounds:
    """Return one round per slate: the reward of its slots together, and the probabilities of its worst slot.

    seen: what an estimator takes for the action of each row, as its `seen` says. The slot that knows least is
    the one whose weights have the smallest effective sample size; under `cascade` that is nearly always the
    last. A slate that ends before counts by its last slot. So `ess` counts slates, and the mean weight is 1
    where the log could show whatever the policy does: the strictest view.

    The lower slot's weights, 2 and 0, are worth one slate:

    >>> two = SlateRounds(
    ...     slate=np.array([5, 5, 6, 6]),
    ...     slot=np.array([0, 1, 0, 1]),
    ...     n_slots=2,
    ...     reward=np.array([1.0, 2.0, 0.0, 4.0]),
    ...     cluster=np.array([7, 7, 7, 7]),
    ...     segment=np.zeros(4, dtype=int),
    ...     position=Propensities(propensity=np.full(4, 0.5), evaluation_prob=np.array([0.5, 1, 0.5, 0])),
    ... )
    >>> seen = whole_slates(two, two.position)
    >>> seen.reward.tolist(), seen.weight.tolist()
    ([3.0, 4.0], [2.0, 0.0])
    """
    weight, slots = seen.weight, np.unique(rounds.slot)
    least = slots[int(np.argmin([effective_size(weight[rounds.slot == slot]) for slot in slots]))]
    first = rounds.first_row
    row = first + np.minimum(least, rounds.length - 1)
    return EvaluationRounds(
        reward=rounds.by_slate(rounds.reward[:, np.newaxis])[:, 0],
        propensity=seen.propensity[row],
        evaluation_prob=seen.evaluation_prob[row],
        cluster=rounds.cluster[first],
        segment=rounds.segment[first],
    )
