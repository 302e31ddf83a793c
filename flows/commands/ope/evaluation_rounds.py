"""A file of rounds → the inputs of estimators; the lists of a batch become numbers per round at once.

The dense matrix, rounds × actions, exists for one batch at a time. Over all rounds only column vectors are
kept, 8 bytes per round and column: 64 for ips, 80 for dr. Contexts, read only where something is fitted on
them, take 8 bytes per round and feature, several times over during the fit; reward models and density ratios
hold the probabilities of all actions too.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from features.errors import InputDataError, UsageError
from flows.commands.ope.batch_columns import BatchColumn
from flows.commands.ope.cluster_names import cluster_indices, encoded
from flows.commands.ope.fitted_columns import Fit, FittedOn, fitted_columns
from flows.commands.ope.repeated_rows import RowKeys
from flows.commands.ope.round_files import RoundFile
from flows.commands.ope.table_columns import Batch, check_columns, filled_batches
from offline_rl.ope.estimators.marginal_weight import marginal_weight
from offline_rl.ope.models.estimated_propensities import Choices, EstimatedPropensities, estimate_propensities
from offline_rl.ope.records import EvaluationRounds, Floats, Ints
from offline_rl.ope.trust.repeated_rows import Repetition

REQUIRED = ("action", "reward", "evaluation_probs")
"""Columns that every file of rounds must have, besides one that gives propensities."""

PROPENSITY_SOURCES = ("propensity", "logging_probs", "context")
"""Columns that give propensities: logged, logged among those of all actions, or estimated from the inputs of
the logging policy. The first that a file has is taken."""

LISTED = {"context": "feature", "evaluation_probs": "action"}
"""Column of lists → the thing that each number of a list is about."""

EMBEDDING = ("logging_probs", "embedding_probs")
"""Columns that together give the weight of a round's embedding."""


@dataclass(frozen=True, eq=False)
class FileRounds:
    """All rounds of a file, and the evidence on their propensities.

    action: [n], of n_actions. least_logging_prob: the smallest of all `logging_probs`, None without them.
    estimated: the estimated propensities; None where they were logged.
    repetition: repeats of rows, None where rows can't be compared.
    """

    rounds: EvaluationRounds
    action: Ints
    n_actions: int
    least_logging_prob: float | None
    estimated: EstimatedPropensities | None
    repetition: Repetition | None

    @property
    def n(self) -> int:
        """Number of rounds."""
        return self.rounds.n


@dataclass(frozen=True, eq=False)
class _Reduced:
    """The columns of a batch, one number per round, and its part of the numbers over all rounds."""

    columns: dict[str, Floats | Ints]
    n_actions: int
    least_logging_prob: float | None


def read_evaluation_rounds(
    file: RoundFile, wanted: Collection[str], cluster: str | None, *, seed: int = 0, fit: Fit | None = None
) -> FileRounds:
    """Return the rounds of a file for the policy in its `evaluation_probs`, all in segment 0.

    | column of the file | columns of the rounds |
    |---|---|
    | action, evaluation_probs | evaluation_prob |
    | q_hat | q_logged, q_policy |
    | q_hat_mrdr | q_logged_mrdr, q_policy_mrdr |
    | density_ratio, logger, balanced_propensity | the same |
    | logging_probs, embedding_probs | marginal_weight |
    | propensity, else logging_probs, else context | propensity |

    wanted: the optional columns to read, where the file has them.
    cluster: column of clusters; None for independent rounds.
    fit: columns to fit on `context` instead of reading them. seed: of its folds; a cluster is in one fold.

    unsupported_mass is the policy's probability on actions whose logging_probs are 0 in that round. In a file
    without logging_probs, it is the probability on actions that the whole log never took; then the column
    `action` is read once more, beforehand.

    Raises UsageError for a column that is not there, InputDataError naming the first row (counted from 0)
    that can't be used, and where there is no row.
    """
    fit = fit or Fit()
    fit.check(file)
    modeled = tuple(column for column in fit.columns if column in wanted)
    source = "context" if fit.propensity else _propensity_source(file)
    # Lists that stay in memory, since models read them round by round, fold by fold.
    held = ("context", "evaluation_probs") if modeled else ("context",) if source == "context" else ()
    needed = _columns_to_read(file, [*(c for c in wanted if c not in modeled), source, *held], cluster)
    logged = None if "logging_probs" in needed else _logged_actions(file)
    columns: defaultdict[str, list[Any]] = defaultdict(list)
    clusters: list[Any] = []
    keys = RowKeys()
    n_rounds, n_actions, least = 0, None, None
    for rows in filled_batches(file, keys):
        batch = Batch(str(file.path), n_rounds, rows.select(needed))
        reduced = _reduced(batch, n_actions, logged)
        n_actions = reduced.n_actions
        if reduced.least_logging_prob is not None:
            least = min(reduced.least_logging_prob, 1.0 if least is None else least)
        for name, numbers in reduced.columns.items():
            columns[name].append(numbers)
        for name in held:
            n_numbers = columns[name][0].shape[1] if name in columns else None
            columns[name].append(batch[name].lists(n_numbers, per=LISTED[name], as_in=name))
        if cluster:
            clusters.append(encoded(batch[cluster]))
        n_rounds += len(rows)
    if n_actions is None:
        raise InputDataError(f"{file.path} holds no rounds: it needs at least one.")
    joined = {name: np.concatenate(columns.pop(name)) for name in list(columns)}
    joined["cluster"] = cluster_indices(clusters) if cluster else np.arange(n_rounds)
    joined["segment"] = np.zeros(n_rounds, dtype=np.int64)
    action, lists = joined.pop("action"), {name: joined.pop(name) for name in held}
    estimated = None
    try:
        if source == "context":
            choices = Choices(lists["context"], action, joined["cluster"], n_actions)
            estimated = estimate_propensities(choices, seed=seed)
            joined["propensity"] = estimated.propensity
        if modeled:
            on = FittedOn(
                action=action, **lists, **{name: joined[name] for name in ("reward", "propensity", "cluster")}
            )
            joined |= fitted_columns(modeled, on, fit.model, seed)
        rounds = EvaluationRounds(**joined)
    except ValueError as error:
        raise InputDataError(f"{file.path}, {error}") from error
    repetition = keys.repetition(rounds.cluster if cluster else None)
    return FileRounds(rounds, action, n_actions, least, estimated, repetition)


def _columns_to_read(file: RoundFile, wanted: Collection[str], cluster: str | None) -> tuple[str, ...]:
    needed = dict.fromkeys([*REQUIRED, *wanted, *([cluster] if cluster else [])])
    check_columns(file, tuple(needed))
    # Always read where present: they distinguish unsupported actions from rare ones.
    always_read = [column for column in ("logging_probs",) if column in file.columns]
    return tuple(needed | dict.fromkeys(always_read))


def _propensity_source(file: RoundFile) -> str:
    for column in PROPENSITY_SOURCES:
        if column in file.columns:
            return column
    raise UsageError(
        f"{file.path} has neither propensity nor context. Log with every action the probability with which "
        "it was chosen, as propensity; or give context, a list of all numbers that the logging policy used, "
        f"and it is estimated. The file's columns are {', '.join(file.columns)}."
    )


def _reduced(batch: Batch, n_actions: int | None, logged: Ints | None) -> _Reduced:
    """Return the batch without its lists."""
    probs = batch["evaluation_probs"].probabilities(n_actions)
    n_actions = probs.shape[1]
    action = _actions(batch["action"], n_actions)
    row = np.arange(len(action))
    columns: dict[str, Floats | Ints] = {
        "action": action,
        "reward": batch["reward"].numbers(),
        "evaluation_prob": probs[row, action],
    }
    if "propensity" in batch:
        columns["propensity"] = batch["propensity"].numbers()
    for name, suffix in (("q_hat", ""), ("q_hat_mrdr", "_mrdr")):
        if name in batch:
            q_hat = batch[name].lists(n_actions)
            columns[f"q_logged{suffix}"] = q_hat[row, action]
            columns[f"q_policy{suffix}"] = np.einsum("ra,ra->r", probs, q_hat)
    for name in ("density_ratio", "balanced_propensity"):
        if name in batch:
            columns[name] = batch[name].numbers()
    if "logger" in batch:
        columns["logger"] = batch["logger"].whole_numbers()
    least_logging_prob = None
    if logged is not None:
        never_logged = np.ones(n_actions)
        never_logged[logged[logged < n_actions]] = 0.0
        # Row by row: a matrix product may round a row differently in a batch of another size.
        columns["unsupported_mass"] = np.einsum("ra,a->r", probs, never_logged)
    else:
        logging_probs = batch["logging_probs"].probabilities(n_actions)
        least_logging_prob = max(0.0, float(logging_probs.min()))
        columns.setdefault("propensity", logging_probs[row, action])
        columns["unsupported_mass"] = np.einsum("ra,ra->r", probs, logging_probs <= 0)
        if "embedding_probs" in batch:
            columns["marginal_weight"] = _marginal_weights(batch["embedding_probs"], probs, logging_probs)
    return _Reduced(columns, n_actions, least_logging_prob)


def _marginal_weights(embedding: BatchColumn, probs: Floats, logging_probs: Floats) -> Floats:
    """Return the weight of each round's embedding, from the probability of every action to show it."""
    embedding_probs = embedding.lists(probs.shape[1])
    try:
        return marginal_weight(probs, logging_probs, embedding_probs)
    except ValueError as error:
        could_show = np.einsum("ra,ra->r", logging_probs, embedding_probs) > 0
        raise embedding.fault(
            int(np.argmin(could_show)),
            "leaves the logged embedding without probability under logging_probs. What was logged must have "
            "been possible.",
        ) from error


def _actions(column: BatchColumn, n_actions: int) -> Ints:
    action = column.whole_numbers()
    outside = (action < 0) | (action >= n_actions)
    if outside.any():
        row = int(np.argmax(outside))
        raise column.fault(row, f"is {action[row]}, but evaluation_probs has actions 0 to {n_actions - 1}.")
    return action


def _logged_actions(file: RoundFile) -> Ints:
    """Return every action that the log took, from a pass over this column alone."""
    seen = np.empty(0, dtype=np.int64)
    n_rounds = 0
    for rows in file.batches(["action"]):
        action = Batch(str(file.path), n_rounds, rows)["action"].whole_numbers()
        seen = np.union1d(seen, action)
        n_rounds += len(rows)
    return seen[seen >= 0]
