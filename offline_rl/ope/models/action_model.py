"""The multinomial logit of choices among available actions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from offline_rl.ope.models.action_batches import batches
from offline_rl.ope.models.action_features import Standardization
from offline_rl.ope.records import Floats, Ints

SLOPE_PENALTY = 1.0
LEVEL_PENALTY = 0.1
"""Prior precision of the levels: an action that was never seen keeps a small probability."""

Available = NDArray[np.bool_] | None
"""Which actions each of m rounds could show, [m, A]; None: all."""


@dataclass(frozen=True, eq=False)
class ActionModel:
    """π̂(a∣x) = exp(level_a + x · slope_a) / Σ over available a'; slopes [d, A], levels [A]."""

    standardize: Standardization
    slopes: Floats
    levels: Floats

    def probabilities(self, context: Floats, available: Available) -> Floats:
        """Return the probability of each action, [m, A]; exactly 0 where it was not available."""
        scores = self.standardize(context) @ self.slopes + self.levels
        return np.asarray(softmax(_masked(scores, available), axis=1), dtype=np.float64)


def fit_action_model(context: Floats, action: Ints, available: Available, n_actions: int) -> ActionModel:
    """Fit by penalized maximum likelihood (L-BFGS), the softmax running over available actions only.

        minimize  −Σ_i log π̂(a_i∣x_i) + |slopes|² / 2 + 0.1 |levels|² / 2

    Leaving unavailable actions out of the softmax is what keeps an action that was seldom on offer from
    looking disliked. Gradients are taken a batch at a time. Source: McFadden 1974, "Conditional logit
    analysis".
    """
    standardize = Standardization.of(context)
    features = np.column_stack([standardize(context), np.ones(len(context))])
    d = features.shape[1]
    penalty = np.full((d, n_actions), SLOPE_PENALTY)
    penalty[-1] = LEVEL_PENALTY

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(d, n_actions)
        total, gradient = 0.5 * float((penalty * weights**2).sum()), penalty * weights
        for rows in batches(np.arange(len(action)), n_actions):
            scores = _masked(features[rows] @ weights, None if available is None else available[rows])
            log_p = log_softmax(scores, axis=1)
            row = np.arange(len(rows))
            total -= float(log_p[row, action[rows]].sum())
            residual = np.exp(log_p)
            residual[row, action[rows]] -= 1.0
            gradient += features[rows].T @ residual
        return total, gradient.ravel()

    found = minimize(loss, np.zeros(d * n_actions), jac=True, method="L-BFGS-B", options={"maxiter": 500})
    weights = np.asarray(found.x).reshape(d, n_actions)
    return ActionModel(standardize, slopes=weights[:-1], levels=weights[-1])


def _masked(scores: Floats, available: Available) -> Floats:
    return scores if available is None else np.where(available, scores, -np.inf)
