"""Features of a context and an action for models that predict for every action."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix, hstack

from offline_rl.ope.records import Floats, Ints


@dataclass(frozen=True, eq=False)
class Standardization:
    """Shift and scale that give each context feature mean 0 and deviation 1 in the rounds of the fit."""

    mean: Floats
    deviation: Floats

    @classmethod
    def of(cls, context: Floats) -> "Standardization":
        """Fit the scale to the context; a feature that does not vary keeps its unit."""
        deviation = context.std(axis=0)
        return cls(context.mean(axis=0), np.where(deviation > 0, deviation, 1.0))

    def __call__(self, context: Floats) -> Floats:
        """Return the context on that scale."""
        return (context - self.mean) / self.deviation


def interactions(context: Floats, action: Ints, n_actions: int) -> csr_matrix:
    """Return sparse features [n, d + A + d A]: context, one-hot action, and context in the action's columns.

    A penalized linear model of these shrinks each action's slopes towards those that all actions share, and
    an action that was never seen gets the shared ones.
    """
    n, d = context.shape
    row = np.arange(n)
    one_hot = csr_matrix((np.ones(n), (row, action)), shape=(n, n_actions))
    place = (action[:, np.newaxis] * d + np.arange(d)).ravel()
    own = csr_matrix((context.ravel(), (np.repeat(row, d), place)), shape=(n, n_actions * d))
    return csr_matrix(hstack([csr_matrix(context), one_hot, own]))


def categories_or_one_hot(context: Floats, action: Ints, n_actions: int, is_category: bool) -> Floats:
    """Return the dense features: context with the action as a category [n, d + 1], or one-hot [n, d + A]."""
    if is_category:
        return np.column_stack([context, action.astype(np.float64)])
    one_hot = np.zeros((len(action), n_actions))
    one_hot[np.arange(len(action)), action] = 1.0
    return np.hstack([context, one_hot])
