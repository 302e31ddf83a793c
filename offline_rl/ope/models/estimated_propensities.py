"""Propensities for logs without them: estimated from the choices themselves, and marked as such."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeClassifier

from features.contracts.findings import Finding, finding
from offline_rl.ope.models.action_batches import batches, check_actions
from offline_rl.ope.models.action_model import ActionModel, fit_action_model
from offline_rl.ope.models.folds import folds_by_cluster
from offline_rl.ope.models.probability_calibration import (
    CalibratedActions,
    Calibration,
    as_modeled,
    calibrate_actions,
)
from offline_rl.ope.records import Floats, Ints
from offline_rl.ope.trust.reliability import Reliability, reliability

MARK = Finding("estimated_propensities", "log")
"""Stands beside a value that depends on estimated propensities."""

FORESEEN, SUREST_FORESEEN = 0.95, 0.998
"""Shares of choices predicted, of all and of the surer half, from which on a policy counts as deterministic.

Forecasts of a policy without chance fail where it changes its mind, and there they are unsure. A policy that
explores in 1 % of its rounds surprises the sure ones too."""

POOR_CALIBRATION = 0.05
"""Share of misplaced choices from which on weights are not to be trusted."""

SETTLED, MANY_SETTLED = 0.99, 0.05
"""Probability of an all but certain choice, and the share of such rounds that is worth a sentence."""

CALIBRATION_FOLDS = 2
FIT_ROUNDS = 200_000
"""Largest number of rounds a model is fitted on, which bounds the [m, A] numbers of its calibration."""


@dataclass(frozen=True, eq=False)
class EstimatedPropensities:
    """Column `propensity` [n] of a log that lacks it, and what a reader must know about it.

    note: `MARK`. reliability, calibration_error: share of choices promised to the wrong bin of
    probability, on rounds the model had not seen. foreseen_share: how often the logged action is the one that
    the context predicts, over rounds with a choice. is_identified: False where that is nearly always: what
    other actions would have earned can't be known from such a log, at any size. reasons: the assumption
    first, then what the estimation showed.
    """

    propensity: Floats
    note: Finding
    reliability: Reliability
    foreseen_share: float
    is_identified: bool
    reasons: tuple[Finding, ...]

    @property
    def calibration_error(self) -> float:
        """Share of choices that are in another bin of probability than promised, 0..1."""
        return self.reliability.calibration_error


@dataclass(frozen=True, eq=False)
class Choices:
    """Logged choices without their propensities.

    | field | shape | meaning |
    |---|---|---|
    | context | [n, d] | all that the logging policy used; what is missing biases every weight |
    | action, cluster | [n] | as in `EvaluationRounds` |
    | n_actions | | A |
    | available, set_index | [S, A], [n] | which actions a round could show; None: all |
    | slot | [n] | enters the context one-hot; None: there is one slot |

    Raises ValueError for an unknown action, or one that was not available.
    """

    context: Floats
    action: Ints
    cluster: Ints
    n_actions: int
    available: NDArray[np.bool_] | None = None
    set_index: Ints | None = None
    slot: Ints | None = None

    def __post_init__(self) -> None:
        check_actions(self.action, self.n_actions)
        if (self.available is None) != (self.set_index is None):
            raise ValueError("available and set_index belong together: give both or neither.")
        if self.available is not None and self.set_index is not None:
            missing = ~self.available[self.set_index, self.action]
            if missing.any():
                row = int(np.argmax(missing))
                raise ValueError(
                    f"row {row}: action {self.action[row]} was logged, but was not available. Repair the "
                    "sets of available actions."
                )

    def features(self, rows: Ints) -> Floats:
        """Return context with the slot one-hot, [m, d + slots]; a column of zeros where there is neither."""
        blocks = [np.asarray(self.context[rows], dtype=np.float64)]
        if self.slot is not None:
            blocks.append((self.slot[rows, np.newaxis] == self._slots).astype(np.float64))
        features = np.hstack(blocks)
        return features if features.shape[1] else np.zeros((len(rows), 1))

    @cached_property
    def _slots(self) -> Ints:
        return np.unique(self.slot) if self.slot is not None else np.zeros(0, dtype=np.int64)

    def availability(self, rows: Ints) -> NDArray[np.bool_]:
        """Return which actions the rows could show, [m, A]."""
        if self.available is None or self.set_index is None:
            return np.ones((len(rows), self.n_actions), dtype=bool)
        return self.available[self.set_index[rows]]


@dataclass(frozen=True, eq=False)
class _FoldModel:
    """The model that estimates one fold, fitted on other folds."""

    choice: ActionModel
    calibrated: CalibratedActions
    tree: DecisionTreeClassifier

    def probabilities(self, features: Floats, available: NDArray[np.bool_]) -> Floats:
        return self.calibrated(self.choice.probabilities(features, available))


def estimate_propensities(
    choices: Choices,
    *,
    calibration: Calibration = "sigmoid",
    folds: int = 3,
    seed: int = 0,
    fit_rounds: int = FIT_ROUNDS,
) -> EstimatedPropensities:
    """Estimate π_b of the logged actions by a cross-fitted, calibrated multinomial logit.

    Each round's propensity comes from a model and a calibration that did not see its cluster; the calibration
    is fitted on predictions for clusters that their model had not seen either. Actions that were not
    available get probability 0, and the others add up to 1. fit_rounds: most rounds that a model is fitted
    on; of more, whole clusters are chosen by their hash.

    Whether anything was left to chance is tested by two forecasts, the logit and a decision tree (cells of
    the context): the value is not identified where either foresees 95 % of all choices and 99.8 % of those it
    is surest of.

    Intervals made with estimated propensities do not hold the estimates' own error; and no test on this log
    can show a context that the logging policy saw and the log does not have.

    Raises ValueError for more folds than clusters.
    """
    n, n_actions = len(choices.action), choices.n_actions
    fold = folds_by_cluster(choices.cluster, folds, seed)
    fitted_on = (_at_most(np.flatnonzero(fold != k), choices.cluster, fit_rounds, seed) for k in range(folds))
    models = [_fit(choices, rows, calibration, seed) for rows in fitted_on]

    def estimated(rows: Ints) -> Floats:
        block = np.empty((len(rows), n_actions))
        for k, model in enumerate(models):
            mine = fold[rows] == k
            seen = rows[mine]
            block[mine] = model.probabilities(choices.features(seen), choices.availability(seen))
        return block

    propensity, has_choice = np.empty(n), np.empty(n, dtype=bool)
    # Two forecasts of each choice: whether they were right, and how sure they were.
    hit, sureness = np.empty((n, 2), dtype=bool), np.empty((n, 2))
    for rows in batches(np.arange(n), n_actions):
        p = estimated(rows)
        propensity[rows] = p[np.arange(len(rows)), choices.action[rows]]
        has_choice[rows] = choices.availability(rows).sum(axis=1) > 1
        hit[rows, 0], sureness[rows, 0] = p.argmax(axis=1) == choices.action[rows], p.max(axis=1)
    for k, model in enumerate(models):
        for rows in batches(np.flatnonzero(fold == k), n_actions):
            shares = model.tree.predict_proba(choices.features(rows))
            hit[rows, 1] = model.tree.classes_[shares.argmax(axis=1)] == choices.action[rows]
            sureness[rows, 1] = shares.max(axis=1)

    forecasts = [_foreseen(hit[has_choice, j], sureness[has_choice, j]) for j in range(2)]
    foreseen = max(share for share, _ in forecasts)
    is_identified = not any(share >= FORESEEN and surest >= SUREST_FORESEEN for share, surest in forecasts)
    bins = reliability(estimated, choices.action, choices.cluster, n_actions)
    settled = float((propensity >= SETTLED).mean())
    return EstimatedPropensities(
        propensity=propensity,
        note=MARK,
        reliability=bins,
        foreseen_share=foreseen,
        is_identified=is_identified,
        reasons=_reasons(foreseen, is_identified, settled, bins.calibration_error),
    )


def _foreseen(hit: NDArray[np.bool_], sureness: Floats) -> tuple[float, float]:
    """Return share of choices foreseen, of all and of the surer half; both 1 where no round had a choice."""
    if len(hit) == 0:
        return 1.0, 1.0
    return float(hit.mean()), float(hit[sureness >= np.median(sureness)].mean())


def _fit(choices: Choices, rows: Ints, calibration: Calibration, seed: int) -> _FoldModel:
    """Fit a model on the rows, calibrated on predictions of models for halves of them that were not seen."""
    action, n_actions = choices.action[rows], choices.n_actions
    features, available = choices.features(rows), choices.availability(rows)
    tree = DecisionTreeClassifier(min_samples_leaf=5, random_state=seed).fit(features, action)
    choice = fit_action_model(features, action, available, n_actions)
    if calibration == "none":
        return _FoldModel(choice, as_modeled(n_actions, len(rows)), tree)
    # Another seed than the outer folds', whose remaining order would be dealt out the same way again.
    inner = folds_by_cluster(choices.cluster[rows], CALIBRATION_FOLDS, seed + 1)
    unseen = np.empty((len(rows), n_actions))
    for k in range(CALIBRATION_FOLDS):
        fitted, held_out = inner != k, inner == k
        model = fit_action_model(features[fitted], action[fitted], available[fitted], n_actions)
        unseen[held_out] = model.probabilities(features[held_out], available[held_out])
    return _FoldModel(choice, calibrate_actions(unseen, action, calibration), tree)


def _at_most(rows: Ints, cluster: Ints, most: int, seed: int) -> Ints:
    """Return rows, or those of whole clusters in the order of their hash until about `most` are reached."""
    parts = -(-len(rows) // most)
    if parts == 1:
        return rows
    kept: Ints = rows[folds_by_cluster(cluster[rows], parts, seed + 2) == 0]
    return kept


def _reasons(
    foreseen: float, is_identified: bool, settled: float, calibration_error: float
) -> tuple[Finding, ...]:
    reasons = [Finding("context_assumed", "log")]
    if not is_identified:
        reasons.append(finding("nothing_left_to_chance", "log", foreseen_share=foreseen))
    elif settled > MANY_SETTLED:
        reasons.append(finding("often_certain", "log", settled_share=settled))
    if calibration_error > POOR_CALIBRATION:
        reasons.append(finding("model_does_not_fit", "log", calibration_error=calibration_error))
    return tuple(reasons)
