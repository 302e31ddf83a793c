"""What a policy shows on average: a distribution of items in each slot, from its own log; and what was on
sale on which day."""

import numpy as np
from numpy.typing import NDArray

from offline_rl.ope.records import Floats, Ints

SURELY_SEEN = 10.0
"""Expected showings of an item on a day from which on none means that it was not on sale: by chance alone
that happens once in 22,000."""


def slot_distribution(
    action: Ints, slot: Ints, propensity: Floats, *, n_slots: int, n_actions: int
) -> Floats:
    """Return π(a∣l), shape [L, A]: the mean logged propensity of each action in each slot, summing to 1.

    action, slot, propensity: [n], of rounds that the policy itself served. Actions that a slot never showed
    get 0; a slot without rounds gets 0 throughout. Exact for a policy that depends on nothing but the slot.
    For one that depends on a context too it is what the policy shows on average, and no longer to whom;
    actions that are chosen with very different probabilities then get somewhat too much, since they are seen
    where they were likely.

    >>> slot_distribution(
    ...     np.array([0, 1, 1]), np.array([0, 0, 0]), np.array([0.2, 0.6, 0.6]), n_slots=1, n_actions=3
    ... ).round(2)
    array([[0.25, 0.75, 0.  ]])
    """
    n, total = np.zeros((n_slots, n_actions)), np.zeros((n_slots, n_actions))
    np.add.at(n, (slot, action), 1.0)
    np.add.at(total, (slot, action), propensity)
    mean = np.divide(total, n, out=np.zeros_like(total), where=n > 0)
    of_slot = mean.sum(axis=1, keepdims=True)
    shares: Floats = np.divide(mean, of_slot, out=np.zeros_like(mean), where=of_slot > 0)
    return shares


def seen_on_days(action: Ints, day: Ints, *, n_days: int, n_actions: int) -> NDArray[np.bool_]:
    """Return which actions a day's rounds could have shown, [D, A]: those that they did, or were hardly due.

    action, day: [n], of the rounds of all policies. An action is due on a day as often as by its share of all
    rounds.

    >>> seen_on_days(np.array([0, 1] * 30 + [1] * 40), np.repeat([0, 1], [60, 40]), n_days=2, n_actions=3)
    array([[ True,  True,  True],
           [False,  True,  True]])
    """
    times = np.zeros((n_days, n_actions))
    np.add.at(times, (day, action), 1.0)
    due = np.outer(times.sum(axis=1), times.sum(axis=0) / len(action))
    return (times > 0) | (due < SURELY_SEEN)
