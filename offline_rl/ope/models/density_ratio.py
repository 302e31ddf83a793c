"""Importance weights from a classifier that separates the two policies' rounds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from offline_rl.ope.models.action_batches import PerAction, at_rows, batches, check_actions
from offline_rl.ope.models.action_features import Standardization, categories_or_one_hot, interactions
from offline_rl.ope.models.folds import folds_by_cluster
from offline_rl.ope.records import Floats, Ints

CALIBRATION_FOLDS = 2


@dataclass(frozen=True, eq=False)
class Draws:
    """One action per round from the evaluation policy, and the probability it gives to all actions."""

    action: Ints
    mass: Floats


def draw_actions(evaluation_probs: PerAction, n: int, n_actions: int, seed: int) -> Draws:
    """Draw a ~ π_e(·∣x) for each of n rounds, a batch at a time.

    >>> draw_actions(np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]), 2, 3, seed=0).action
    array([1, 2])
    """
    uniform = np.random.default_rng(seed).random(n)
    action, mass = np.empty(n, dtype=np.int64), np.empty(n)
    for rows in batches(np.arange(n), n_actions):
        cumulative = at_rows(evaluation_probs, rows, n_actions, "evaluation_probs").cumsum(axis=1)
        mass[rows] = cumulative[:, -1]
        reached = cumulative > (uniform[rows] * mass[rows])[:, np.newaxis]
        action[rows] = reached.argmax(axis=1)
    return Draws(action, mass)


def density_ratio(
    context: Floats,
    action: Ints,
    evaluation_probs: PerAction,
    cluster: Ints,
    *,
    n_actions: int,
    model: Literal["linear", "trees"] = "linear",
    calibration: Literal["sigmoid", "isotonic"] = "sigmoid",
    folds: int = 3,
    seed: int = 0,
) -> Floats:
    """Return the column `density_ratio`: π_e(a∣x) / π_b(a∣x) of each round, without a logged propensity.

    A classifier learns whether (x, a) was logged (0) or has its action drawn anew from π_e (1); with as many
    rounds of either kind

        ratio = P(1∣x, a) / P(0∣x, a).

    It is fitted and calibrated on other clusters than those it predicts for. The linear classifier has
    slopes for each action of its own, and is exact where log π_e − log π_b is linear in x; calibration mends
    a level, not a shape. Ratios are kept within [1/(2m), 2m] for the m rounds of a fit: no more than these
    can tell.

    Shapes: context [n, d], action [n], evaluation_probs as for `cross_fitted_rewards`, cluster [n].
    Raises ValueError for an unknown action or more folds than clusters.
    Source: Sondhi, Arbour & Dimmery 2020, "Balanced off-policy evaluation in general action spaces".
    """
    n = len(action)
    check_actions(action, n_actions)
    context = np.asarray(context, dtype=np.float64)
    drawn = draw_actions(evaluation_probs, n, n_actions, seed)
    fold = folds_by_cluster(cluster, folds, seed)
    ratio = np.empty(n)
    for k in range(folds):
        seen, held_out = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        standardize = Standardization.of(context[seen])
        features = _features(model, n_actions)
        classifier = CalibratedClassifierCV(
            estimator=_classifier(model, context.shape[1], seed),
            method=calibration,
            cv=_calibration_splits(cluster[seen], seed),
        )
        classifier.fit(
            features(
                standardize(np.tile(context[seen], (2, 1))),
                np.concatenate([action[seen], drawn.action[seen]]),
            ),
            np.repeat([0, 1], len(seen)),
            sample_weight=np.concatenate([np.ones(len(seen)), drawn.mass[seen]]),
        )
        is_drawn = classifier.predict_proba(features(standardize(context[held_out]), action[held_out]))[:, 1]
        least = 1 / (1 + 2 * len(seen))
        is_drawn = np.clip(is_drawn, least, 1 - least)
        ratio[held_out] = is_drawn / (1 - is_drawn)
    return ratio


def _features(model: str, n_actions: int) -> Callable[[Floats, Ints], Any]:
    if model == "linear":
        return lambda context, action: interactions(context, action, n_actions)
    return lambda context, action: categories_or_one_hot(context, action, n_actions, True)


def _classifier(model: str, n_features: int, seed: int) -> Any:
    if model == "linear":
        return LogisticRegression(max_iter=2000)
    return HistGradientBoostingClassifier(
        categorical_features=[n_features], early_stopping=False, max_iter=60, random_state=seed
    )


def _calibration_splits(cluster: Ints, seed: int) -> list[tuple[Ints, Ints]]:
    """Return rows to fit and rows to calibrate on, for logged rounds followed by the same rounds redrawn."""
    # Another seed than the outer folds', whose remaining order would be dealt out the same way again.
    fold = np.tile(folds_by_cluster(cluster, CALIBRATION_FOLDS, seed + 1), 2)
    return [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(CALIBRATION_FOLDS)]
