"""What a policy shows on average: a distribution of items in each slot, from its own log."""

import numpy as np

from offline_rl.ope.records import Floats, Ints


def slot_distribution(
    action: Ints, slot: Ints, propensity: Floats, *, n_slots: int, n_actions: int
) -> Floats:
    """Return π(a∣l), shape [L, A]: the mean logged propensity of each action in each slot, summing to 1.

    action, slot, propensity: [n], of rounds that the policy itself served. Actions that a slot never showed
    get 0; a slot without rounds gets 0 throughout. Exact for a policy that looks at nothing but the slot. For
    one that looks at a context too it is what the policy shows on average, and no longer to whom; actions
    that are chosen with very different probabilities then get somewhat too much, since they are seen where
    they were likely.

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
