"""Whether a policy depends on more than the slot and the time, by its logged propensities."""

import numpy as np

from offline_rl.ope.records import Floats, Ints

LEAST_VARIATION = 0.05
"""Relative variation of an action's propensity in a slot up to which it counts as constant."""

MOST_SUDDEN = 0.5
"""Share of that variation that is sudden from which on it is due to contexts and not to time."""


def depends_on_context(action: Ints, slot: Ints, propensity: Floats) -> float | None:
    """Return the share of the propensities' variation that is sudden, 0..1, if it shows a context; else None.

    action, slot, propensity: [n], in the order of time. An action's propensity in a slot varies by

        Σ (p_t − p̄)²   of which   Σ (p_t − p_(t−1))² / 2   is sudden:

    all of it where each round has a context of its own, next to none where a bandit learns as time goes by.
    Of the bandit of Open Bandit's men, with propensities that move tenfold in a week, 8 % is. Where an action
    is shown rarely, the time between two rounds is long and more of a drift seems sudden.

    Source: von Neumann 1941, the ratio of the mean square successive difference to the variance.

    >>> ones, drift = np.zeros(400, dtype=np.int64), np.linspace(0.2, 0.6, 400)
    >>> depends_on_context(ones, ones, drift), depends_on_context(ones, ones, np.tile([0.2, 0.6], 200)) > 0.9
    (None, True)
    """
    cell = slot * (int(action.max()) + 1) + action
    order = np.argsort(cell, kind="stable")
    p, cell = propensity[order], cell[order]
    _, position = np.unique(cell, return_inverse=True)
    mean = (np.bincount(position, p) / np.bincount(position))[position]
    variation = float(np.square(p - mean).sum())
    if variation <= LEAST_VARIATION**2 * float(mean @ mean):
        return None
    follows = cell[1:] == cell[:-1]
    sudden = float(np.square(np.diff(p)[follows]).sum()) / 2 / variation
    return min(1.0, sudden) if sudden > MOST_SUDDEN else None
