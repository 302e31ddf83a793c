"""Logged rounds as one evaluation policy sees them: all that an estimator may use."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Number = TypeVar("Number", np.float64, np.int64)

FLOAT32_SLACK = 1e-6
"""Rounding error of policies in float32, where probabilities may sum to slightly more than one."""


@dataclass(frozen=True, eq=False, kw_only=True)
class EvaluationRounds:
    """Columns of n logged rounds for one evaluation policy π_e; b is the policy that logged them.

    | field | symbol | meaning |
    |---|---|---|
    | reward | r | what the round earned, in the reward's unit |
    | propensity | π_b(a∣x) | logged probability of the logged action, in (0, 1] |
    | evaluation_prob | π_e(a∣x) | probability of the same action under the evaluation policy |
    | cluster | | who the round belongs to: rounds of one cluster may depend on each other |
    | segment | | where the round is counted, one index per round |
    | q_logged | q̂(x, a) | modeled reward of the logged action; None without a reward model |
    | q_policy | Σ_a π_e(a∣x) q̂(x, a) | modeled reward of the evaluation policy; None without a reward model |
    | unsupported_mass | | share of π_e(·∣x) on actions the log could not have shown; None counts as 0 |
    | q_logged_mrdr, q_policy_mrdr | | the same of a second reward model, fitted with MRDR's weights |
    | density_ratio | v | weight that a classifier estimated, for `balanced` |
    | marginal_weight | w(x, e) | `marginal_weight.marginal_weight` of the round's embedding e, for `mips` |
    | logger | k | which of several logging policies made the round, from 0 |
    | balanced_propensity | Σ_k (n_k / n) π_k(a∣x) | probability of the logged action under all loggers |

    Columns are stored as read-only float64 or int64 vectors; those from q_logged on may be None.

    Raises ValueError naming the first offending row (counted from 0): a number that is not finite, a
    propensity outside (0, 1], a probability outside [0, 1], a weight or logger below 0, columns of different
    lengths, one column of a reward model without the other.
    """

    reward: Floats
    propensity: Floats
    evaluation_prob: Floats
    cluster: Ints
    segment: Ints
    q_logged: Floats | None = None
    q_policy: Floats | None = None
    unsupported_mass: Floats | None = None
    q_logged_mrdr: Floats | None = None
    q_policy_mrdr: Floats | None = None
    density_ratio: Floats | None = None
    marginal_weight: Floats | None = None
    logger: Ints | None = None
    balanced_propensity: Floats | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            column = getattr(self, field.name)
            if column is not None:
                checked = _checked(field.name, column, len(self.reward))
                object.__setattr__(self, field.name, checked)
        if (self.q_logged is None) != (self.q_policy is None):
            raise ValueError("q_logged and q_policy come from one reward model: give both or neither.")
        if (self.q_logged_mrdr is None) != (self.q_policy_mrdr is None):
            raise ValueError(
                "q_logged_mrdr and q_policy_mrdr come from one reward model: give both or neither."
            )

    @classmethod
    def of_logging_policy(
        cls,
        *,
        reward: Floats,
        propensity: Floats,
        cluster: Ints,
        segment: Ints,
        q_logged: Floats | None = None,
        q_logged_mrdr: Floats | None = None,
        logger: Ints | None = None,
    ) -> Self:
        """Return the logging policy evaluated on its own log: all weights are 1 and nothing is unsupported.

        q_policy is q_logged, since the logged action is the policy's own draw; doubly robust estimates
        then are the sample mean of the reward, whatever the reward model. Of several logging policies this is
        the mixture that happened, each in its own rounds.
        """
        ones = np.ones(len(reward))
        return cls(
            reward=reward,
            propensity=propensity,
            evaluation_prob=propensity,
            cluster=cluster,
            segment=segment,
            q_logged=q_logged,
            q_policy=q_logged,
            q_logged_mrdr=q_logged_mrdr,
            q_policy_mrdr=q_logged_mrdr,
            density_ratio=ones,
            marginal_weight=ones,
            logger=logger,
            balanced_propensity=propensity,
        )

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the rounds of all parts, one after another; a column that one of them lacks is None."""
        columns: dict[str, Any] = {}
        for field in fields(cls):
            of_parts = [getattr(part, field.name) for part in parts]
            is_whole = all(column is not None for column in of_parts)
            columns[field.name] = np.concatenate(of_parts) if is_whole else None
        return cls(**columns)

    @property
    def n(self) -> int:
        """Number of rounds."""
        return len(self.reward)

    @property
    def weight(self) -> Floats:
        """Importance weights w = π_e(a∣x) / π_b(a∣x), shape [n]."""
        return self.evaluation_prob / self.propensity

    def modeled(self, asker: str) -> tuple[Floats, Floats]:
        """Return the columns q_logged and q_policy, for an estimator that needs them.

        Raises ValueError with the asker's name where the rounds carry no reward model.
        """
        if self.q_logged is None or self.q_policy is None:
            raise ValueError(
                f"estimator {asker} needs a reward model, but these rounds carry no q_logged and q_policy. "
                "Give both columns, or ask for ips or snips."
            )
        return self.q_logged, self.q_policy

    def column(self, name: str, asker: str, meaning: str) -> Floats:
        """Return an optional column, for an estimator that needs it.

        Raises ValueError with the asker's name and the column's meaning where the rounds don't carry it.
        """
        numbers: Floats | None = getattr(self, name)
        if numbers is None:
            raise ValueError(
                f"estimator {asker} needs {meaning}, but these rounds carry no {name}. "
                "Give the column, or ask for ips or snips."
            )
        return numbers

    def select(self, rows: NDArray[np.bool_] | Ints) -> Self:
        """Return the rounds where a mask is true, or those at the given indices, in that order."""
        chosen: dict[str, Any] = {}
        for field in fields(self):
            column = getattr(self, field.name)
            chosen[field.name] = None if column is None else column[rows]
        return type(self)(**chosen)


def _checked(name: str, column: NDArray[Any], n: int) -> Floats | Ints:
    """Return the column as a read-only vector of its type, or raise a ValueError about its first bad row."""
    array = np.asarray(column)
    if array.shape != (n,):
        raise ValueError(
            f"{name} has shape {array.shape}, but there are {n} rewards: give one number per round."
        )
    if name in ("cluster", "segment", "logger"):
        if array.dtype.kind not in "iu":
            raise ValueError(f"{name} holds {array.dtype} values: give integer indices.")
        indices = array.astype(np.int64, copy=False)
        if name == "logger":
            _refuse(name, indices, indices < 0, "Logging policies are counted from 0.")
        return _read_only(indices)
    numbers = array.astype(np.float64, copy=False)
    _refuse(name, numbers, ~np.isfinite(numbers), "It must be a finite number; repair or drop the row.")
    if name in ("propensity", "balanced_propensity"):
        _refuse(
            name,
            numbers,
            (numbers <= 0) | (numbers > 1 + FLOAT32_SLACK),
            "A logged action must have been possible, with a probability in (0, 1]; re-export the log.",
        )
        return _read_only(np.minimum(numbers, 1.0))
    if name in ("evaluation_prob", "unsupported_mass"):
        _refuse(
            name,
            numbers,
            (numbers < -FLOAT32_SLACK) | (numbers > 1 + FLOAT32_SLACK),
            "A probability lies in [0, 1]; check the evaluation policy.",
        )
        return _read_only(np.clip(numbers, 0.0, 1.0))
    if name in ("density_ratio", "marginal_weight"):
        _refuse(name, numbers, numbers < 0, "A weight is a ratio of probabilities; check how it was made.")
    return _read_only(numbers)


def _refuse(name: str, numbers: Floats | Ints, bad: NDArray[np.bool_], what_next: str) -> None:
    if bad.any():
        row = int(np.argmax(bad))
        raise ValueError(f"row {row}: {name} is {numbers[row]:g}. {what_next}")


def _read_only(array: NDArray[Number]) -> NDArray[Number]:
    view = array.view()
    view.flags.writeable = False
    return view
