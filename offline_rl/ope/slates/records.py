"""Logged slates as one evaluation policy sees them: one row per slate and slot."""

from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from offline_rl.ope.records import FLOAT32_SLACK, Floats, Ints


@dataclass(frozen=True, eq=False, kw_only=True)
class Propensities:
    """Probability of what was logged, under the logging policy (propensity) and the evaluation policy.

    Raises ValueError naming the first row whose propensity is outside (0, 1] or whose evaluation probability
    is outside [0, 1].
    """

    propensity: Floats
    evaluation_prob: Floats

    def __post_init__(self) -> None:
        if self.propensity.shape != self.evaluation_prob.shape:
            raise ValueError(
                f"propensity has shape {self.propensity.shape} and evaluation_prob has "
                f"{self.evaluation_prob.shape}: give both for the same rows."
            )
        for name, least in (("propensity", np.nextafter(0.0, 1.0)), ("evaluation_prob", -FLOAT32_SLACK)):
            column = _finite(name, getattr(self, name))
            outside = (column < least) | (column > 1 + FLOAT32_SLACK)
            _refuse(name, column, outside, "It must be a probability, and what was logged was possible.")
            object.__setattr__(self, name, np.clip(column, 0.0, 1.0))

    @property
    def weight(self) -> Floats:
        """Importance weights π_e / π_b, shape [n]."""
        return self.evaluation_prob / self.propensity

    def of_logging_policy(self) -> Self:
        """Return the logging policy in the place of the evaluation policy."""
        return replace(self, evaluation_prob=self.propensity)

    def select(self, rows: NDArray[np.bool_] | Ints) -> Self:
        """Return the rows where a mask is true, or those at the given indices, in that order."""
        return replace(self, propensity=self.propensity[rows], evaluation_prob=self.evaluation_prob[rows])


@dataclass(frozen=True, eq=False, kw_only=True)
class SlateRounds:
    """Columns of n rows, one per slate and slot; the rows of a slate lie together, slots ascending from 0.

    | field | symbol | meaning |
    |---|---|---|
    | slate | i | which slate the row belongs to, any distinct integers |
    | slot | l | place in the slate, from 0 |
    | n_slots | L | most slots a slate can have; a slate may end before |
    | reward | r_l | what the slot earned; a slate earns the sum of its slots |
    | cluster | | who the slate belongs to: slates of one cluster may depend on each other |
    | segment | | where the slate is counted |
    | whole | π(a_1, …, a_L∣x) | probability of the slate, the same in all its rows |
    | position | π(a_l in slot l∣x) | probability that the slot shows its item, whatever the others show |
    | cascade | π(a_1, …, a_l∣x) | probability of the slate down to this slot |
    | q_logged | Q̂_l(x, a_1, …, a_l) | modeled reward of this slot and all below, under π_e below |
    | q_policy | E_{a∼π_e}[Q̂_l(x, a_1, …, a_{l−1}, a)] | the same, with the slot's item drawn by π_e |

    Each estimator needs only its own columns; the others may be None. A slot left empty in the middle of a
    slate is a row with reward 0 and the probability that it stays empty. Which slots a slate has is taken as
    given by its context, not as chosen by the policy.

    Raises ValueError naming the first offending row (from 0).
    """

    slate: Ints
    slot: Ints
    n_slots: int
    reward: Floats
    cluster: Ints
    segment: Ints
    whole: Propensities | None = None
    position: Propensities | None = None
    cascade: Propensities | None = None
    q_logged: Floats | None = None
    q_policy: Floats | None = None

    def __post_init__(self) -> None:
        for name in ("reward", "q_logged", "q_policy"):
            if (column := getattr(self, name)) is not None:
                object.__setattr__(self, name, _finite(name, column))
        for field in fields(self):
            value = getattr(self, field.name)
            column = value.propensity if isinstance(value, Propensities) else value
            if isinstance(column, np.ndarray) and column.shape != (self.n,):
                raise ValueError(
                    f"{field.name} has shape {column.shape}, but there are {self.n} rewards: "
                    "give one number per slate and slot."
                )
        if (self.q_logged is None) != (self.q_policy is None):
            raise ValueError("q_logged and q_policy come from one reward model: give both or neither.")
        self._check_order()
        self._check_slates()

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.reward)

    @property
    def is_first_of_slate(self) -> NDArray[np.bool_]:
        """Whether a row is the first of its slate, shape [n]."""
        first: NDArray[np.bool_] = self.slot == 0
        return first

    @property
    def slate_position(self) -> Ints:
        """Position of each row's slate in the log, counted from 0, shape [n]."""
        return np.cumsum(self.is_first_of_slate) - 1

    @property
    def first_row(self) -> Ints:
        """The first row of each slate, shape [slates]."""
        return np.flatnonzero(self.is_first_of_slate)

    @property
    def length(self) -> Ints:
        """Slots of each slate, shape [slates]."""
        return np.diff(self.first_row, append=self.n)

    def by_slate(self, terms: Floats) -> Floats:
        """Return the terms [n, k] added up over the slots of each slate, shape [slates, k]."""
        sums: Floats = np.add.reduceat(terms, self.first_row, axis=0)
        return sums

    def of_slate(self, asker: str) -> Propensities:
        """Return the probabilities of the whole slate in each row: `whole`, or `cascade` of the last slot.

        Raises ValueError with the asker's name where the rows carry neither.
        """
        if self.whole is not None:
            return self.whole
        if self.cascade is None:
            raise lacking(asker, "whole or cascade")
        last = self.first_row + self.length - 1
        return self.cascade.select(last[self.slate_position])

    def logging_policy(self) -> Self:
        """Return the logging policy evaluated on its own log: every weight is 1, and q_policy is q_logged."""
        return replace(
            self,
            whole=self.whole and self.whole.of_logging_policy(),
            position=self.position and self.position.of_logging_policy(),
            cascade=self.cascade and self.cascade.of_logging_policy(),
            q_policy=self.q_logged,
        )

    def select(self, rows: NDArray[np.bool_] | Ints) -> Self:
        """Return the rows where a mask is true, or those at given indices, in order; only whole slates."""
        chosen: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Propensities):
                chosen[field.name] = value.select(rows)
            else:
                chosen[field.name] = value[rows] if isinstance(value, np.ndarray) else value
        return type(self)(**chosen)

    def _check_order(self) -> None:
        first = self.is_first_of_slate
        follows = np.zeros(self.n, dtype=bool)
        follows[1:] = (self.slate[1:] == self.slate[:-1]) & (self.slot[1:] == self.slot[:-1] + 1)
        misplaced = ~(first | follows)
        _refuse(
            "slot", self.slot, misplaced, "Sort by slate and slot; a slate's slots run 0, 1, … without gaps."
        )
        _refuse("slot", self.slot, self.slot >= self.n_slots, f"n_slots says that there are {self.n_slots}.")
        slates = self.slate[first]
        if len(np.unique(slates)) < len(slates):
            values, counts = np.unique(slates, return_counts=True)
            raise ValueError(
                f"slate {values[counts > 1][0]} begins {counts[counts > 1][0]} times: "
                "give every slate its own index and keep its rows together."
            )

    def _check_slates(self) -> None:
        inside = ~self.is_first_of_slate[1:]
        columns: list[tuple[str, NDArray[Any] | None]] = [
            ("cluster", self.cluster),
            ("segment", self.segment),
        ]
        if self.whole is not None:
            columns += [("whole propensity", self.whole.propensity)]
            columns += [("whole evaluation_prob", self.whole.evaluation_prob)]
        for name, column in columns:
            if column is not None:
                changes = np.append(False, inside & (column[1:] != column[:-1]))
                _refuse(name, column, changes, "It differs from the row above, but is one number per slate.")
        if self.cascade is not None:
            for name in ("propensity", "evaluation_prob"):
                column = getattr(self.cascade, name)
                grows = np.append(False, inside & (column[1:] > column[:-1] * (1 + FLOAT32_SLACK)))
                what = (
                    "A longer prefix can't be likelier; give products down to the slot, not the slot's own."
                )
                _refuse(f"cascade {name}", column, grows, what)


def lacking(asker: str, columns: str) -> ValueError:
    """Return the error of an estimator that needs columns which the rows don't have."""
    return ValueError(f"estimator {asker} needs {columns}, which these slates do not carry.")


def _finite(name: str, column: Floats) -> Floats:
    numbers = np.asarray(column, dtype=np.float64)
    _refuse(name, numbers, ~np.isfinite(numbers), "It must be a finite number; repair or drop the slate.")
    return numbers


def _refuse(name: str, column: NDArray[Any], bad: NDArray[np.bool_], what_next: str) -> None:
    if bad.any():
        row = int(np.argmax(bad))
        raise ValueError(f"row {row}: {name} is {column[row]:g}. {what_next}")
