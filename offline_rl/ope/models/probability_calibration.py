"""Calibration of modeled action probabilities: each action by itself, then all scaled to add up to 1."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from offline_rl.ope.records import Floats, Ints

Calibration = Literal["sigmoid", "isotonic", "none"]

FEWEST_CHOICES = 10
"""Fewest rounds that chose an action, and that did not, for its probability to be calibrated."""

SMALLEST = 1e-12


@dataclass(frozen=True, eq=False)
class CalibratedActions:
    """What each action's modeled probability becomes: one fitted map per action, None to leave it as it
    is."""

    maps: tuple[Any, ...]
    floor: float

    def __call__(self, probabilities: Floats) -> Floats:
        """Return calibrated probabilities [m, A]; rows add up to 1, and 0 (not available) stays 0."""
        mapped = probabilities.copy()
        for action, fitted in enumerate(self.maps):
            if fitted is not None:
                possible = probabilities[:, action] > 0
                mapped[possible, action] = np.maximum(
                    self.floor, _apply(fitted, probabilities[possible, action])
                )
        return np.asarray(mapped / mapped.sum(axis=1, keepdims=True), dtype=np.float64)


def as_modeled(n_actions: int, n_rounds: int) -> CalibratedActions:
    """Return the maps that leave probabilities as they are, of a model fitted on this many rounds."""
    return CalibratedActions((None,) * n_actions, floor=1 / (n_rounds + 2))


def calibrate_actions(probabilities: Floats, action: Ints, calibration: Calibration) -> CalibratedActions:
    """Fit a map per action on probabilities [m, A] of rounds that the model was not fitted on.

    `sigmoid` fits a logistic curve of the log-odds (Platt 1999), `isotonic` a rising step function (Zadrozny
    & Elkan 2002). A map never goes below 1/(m + 2): a logged action can't have been impossible.
    """
    maps: list[Any] = []
    for a in range(probabilities.shape[1]):
        possible = probabilities[:, a] > 0
        chosen = (action[possible] == a).astype(np.float64)
        few = min(chosen.sum(), len(chosen) - chosen.sum()) < FEWEST_CHOICES
        maps.append(
            None if calibration == "none" or few else _fit(calibration, probabilities[possible, a], chosen)
        )
    return CalibratedActions(tuple(maps), floor=1 / (len(action) + 2))


def _fit(calibration: Calibration, probability: Floats, chosen: Floats) -> Any:
    if calibration == "isotonic":
        return IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(probability, chosen)
    return LogisticRegression(C=1e4, max_iter=1000).fit(_log_odds(probability), chosen)


def _apply(fitted: Any, probability: Floats) -> Floats:
    if isinstance(fitted, LogisticRegression):
        scores = _log_odds(probability) @ np.ravel(fitted.coef_) + np.ravel(fitted.intercept_)
        return np.asarray(expit(scores), dtype=np.float64)
    return np.asarray(fitted.predict(probability), dtype=np.float64)


def _log_odds(probability: Floats) -> Floats:
    return np.asarray(logit(np.clip(probability, SMALLEST, 1 - SMALLEST)), dtype=np.float64)[:, np.newaxis]
