"""The choices of a log without propensities, as the arrays of its tasks hold them, and how much to fit on.

The work of a fit grows with rounds times actions, so this product is bounded, whatever the log's size.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from offline_rl.ope.models.estimated_propensities import (
    FIT_ROUNDS,
    Choices,
    EstimatedPropensities,
    estimate_propensities,
)
from offline_rl.ope.models.folds import folds_by_cluster
from offline_rl.ope.models.probability_calibration import SMALLEST
from offline_rl.ope.records import Floats

MOST_ACTIONS = 500
"""Actions up to which a propensity can be estimated: of more, each is too rare in a sample of the log."""

FEWEST_CLUSTERS = 10
"""Users, or rounds where there are none, from which on folds can be made within folds."""

MOST_PLACES = 20

FIT_NUMBERS = 2_000_000
"""Most rounds times actions that a model is fitted on: about a minute for all folds, on one core."""

SAMPLE_NUMBERS = 150_000
"""The same where only the question is asked whether anything was left to chance."""

USUAL = 0.95
"""Share of rounds whose odds a factor holds, see `factor_of_context`."""

Arrays = Mapping[str, NDArray[Any]]


def choices_of(
    arrays: Arrays, place: NDArray[np.int64], rows: NDArray[np.int64] | slice = slice(None)
) -> Choices:
    """Return the choices of these rounds of a log.

    arrays: context [n, d], slot, action, cluster and set_index [n], available [S, A]
    (`features/tasks/files.py`). place: [n], which policy chose on which surface: each has its own habits, and
    without it two policies would be estimated as their mean. The most frequent `MOST_PLACES` are known.
    """
    n_slots = len(np.unique(arrays["slot"]))
    return Choices(
        context=np.hstack([arrays["context"][rows], _one_hot(place)[rows]]),
        action=arrays["action"][rows],
        cluster=arrays["cluster"][rows],
        n_actions=arrays["available"].shape[1],
        available=arrays["available"],
        set_index=arrays["set_index"][rows],
        slot=arrays["slot"][rows] if n_slots > 1 else None,
    )


def _one_hot(place: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return a column for each frequent place but the first, [n, p]; none where there is one place."""
    counts = np.bincount(place)
    frequent = np.argsort(-counts, kind="stable")[1:MOST_PLACES]
    return np.asarray(place[:, np.newaxis] == frequent[counts[frequent] > 0], dtype=np.float32)


def can_be_estimated(arrays: Arrays) -> bool:
    """Return whether a log has a choice to model: from 2 to `MOST_ACTIONS` actions, and enough users."""
    n_shown = len(np.unique(arrays["action"]))
    return (
        n_shown > 1
        and arrays["available"].shape[1] <= MOST_ACTIONS
        and len(np.unique(arrays["cluster"])) >= FEWEST_CLUSTERS
    )


def estimate_of_sample(arrays: Arrays, place: NDArray[np.int64], *, seed: int) -> EstimatedPropensities:
    """Estimate the propensities of a sample of whole users, to learn whether anything was left to chance.

    Calibration changes how sure a forecast is, hardly what it foretells, and takes most of the time.
    """
    most = max(1, SAMPLE_NUMBERS // arrays["available"].shape[1])
    n_rounds, cluster = len(arrays["action"]), arrays["cluster"]
    parts = min(-(-n_rounds // most), len(np.unique(cluster)) // FEWEST_CLUSTERS)
    rows = np.arange(n_rounds)
    if parts > 1:
        rows = np.flatnonzero(folds_by_cluster(cluster, parts, seed + 3) == 0)
    return estimate_propensities(choices_of(arrays, place, rows), calibration="none", seed=seed)


def estimate_of_log(arrays: Arrays, place: NDArray[np.int64], *, seed: int) -> EstimatedPropensities:
    """Estimate the propensity of every round, by models fitted on a bounded part of the log."""
    fit_rounds = min(FIT_ROUNDS, max(1, FIT_NUMBERS // arrays["available"].shape[1]))
    return estimate_propensities(choices_of(arrays, place), seed=seed, fit_rounds=fit_rounds)


def factor_of_context(arrays: Arrays, place: NDArray[np.int64], propensity: Floats, *, seed: int) -> float:
    """Return by what factor the odds would be off without the context, in all but a twentieth of the rounds.

    A yardstick for factors of the marginal sensitivity model: whatever is hidden would have to matter as much
    as this beside all that is known. propensity: [n], estimated with the context. Source: leaving known
    covariates out is the benchmark of Hsu & Small 2013, "Calibrating sensitivity analyses to observed
    covariates in observational studies".
    """
    blind = {**arrays, "context": np.zeros((len(propensity), 0), np.float32)}
    without = estimate_of_log(blind, place, seed=seed).propensity
    log_odds = np.abs(logit(_open(propensity)) - logit(_open(without)))
    return float(np.exp(np.quantile(log_odds, USUAL)))


def _open(probability: Floats) -> Floats:
    return np.clip(probability, SMALLEST, 1.0 - SMALLEST)
