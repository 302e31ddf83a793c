"""Logged sessions as one evaluation policy sees them: short episodes of variable length."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from offline_rl.ope.records import FLOAT32_SLACK, Floats, Ints

INDICES = ("session", "step", "action", "cluster")
FINITE = "It must be a finite number; repair or drop the session."


@dataclass(frozen=True, eq=False, kw_only=True)
class Sessions:
    """Columns of the n steps of m sessions, for one evaluation policy π_e; b is the policy that logged them.

    A session is an episode of a finite-horizon Markov decision process: at step t = 0, 1, … it is in state
    s_t, the shop takes action a_t (what to show) and earns r_t, until the visitor leaves or `horizon` steps
    are done. Nothing is earned and nothing is chosen after the end, so that the importance ratio is 1 there.

    | field | symbol | shape | meaning |
    |---|---|---|---|
    | horizon | T | | steps that a session can have at most; a property of the problem, not of the sample |
    | session | | [n] | which session the step belongs to |
    | step | t | [n] | 0, 1, 2, … within the session |
    | action | a | [n] | what was chosen |
    | reward | r | [n] | what the step earned, in the reward's unit |
    | propensity | π_b(a∣s) | [n] | logged probability of the logged action, in (0, 1] |
    | evaluation_prob | π_e(a∣s) | [n] | probability of the same action under the evaluation policy |
    | cluster | | [n] | who the session belongs to; sessions of one cluster may depend on each other |
    | features | s | [n, d] | the state as numbers; for fitted q evaluation |
    | q_logged | q̂_t(s, a) | [n] | modeled reward from this step to the end, after the logged action |
    | v | v̂_t(s) = Σ_a π_e(a∣s) q̂_t(s, a) | [n] | modeled reward from this step to the end under π_e |

    q_logged and v discount from their own step: q̂_t models E[r_t + γ r_{t+1} + …], with the γ that the
    estimator is given. Rows of a session stand together, in the order of its steps. Columns are stored as
    read-only float64 or int64 arrays.

    Raises ValueError naming the first offending row (counted from 0): a reward or model value that is not
    finite, a propensity outside (0, 1], a probability outside [0, 1], a step that is missing, repeated or at
    or past the horizon, a cluster that changes within a session, columns of different lengths.
    """

    horizon: int
    session: Ints
    step: Ints
    action: Ints
    reward: Floats
    propensity: Floats
    evaluation_prob: Floats
    cluster: Ints
    features: Floats | None = None
    q_logged: Floats | None = None
    v: Floats | None = None

    def __post_init__(self) -> None:
        if self.horizon < 1:
            raise ValueError(f"a horizon of {self.horizon} leaves no step: give the most steps of a session.")
        for name, column in self._columns().items():
            object.__setattr__(self, name, _checked(name, column, len(self.reward)))
        if (self.q_logged is None) != (self.v is None):
            raise ValueError("q_logged and v come from one model: give both or neither.")
        _check_order(self.session, self.step, self.cluster, self.horizon)

    @property
    def n_steps(self) -> int:
        """Number of steps n, the rows."""
        return len(self.reward)

    @property
    def n_sessions(self) -> int:
        """Number of sessions m."""
        return len(self.first_row)

    @cached_property
    def first_row(self) -> Ints:
        """The row of every session's step 0, shape [m]."""
        return np.flatnonzero(self.step == 0)

    @cached_property
    def position(self) -> Ints:
        """Which session, from 0 to m − 1, each row belongs to, shape [n]."""
        return np.cumsum(self.step == 0) - 1

    @cached_property
    def length(self) -> Ints:
        """Steps of every session, shape [m]."""
        return np.bincount(self.position, minlength=self.n_sessions).astype(np.int64, copy=False)

    @property
    def cluster_of_session(self) -> Ints:
        """The cluster of every session, shape [m]."""
        return self.cluster[self.first_row]

    @property
    def has_next(self) -> NDArray[np.bool_]:
        """Whether the session goes on after a row; the next step then is the next row. Shape [n]."""
        return self.step + 1 < self.length[self.position]

    def grid(self, column: Floats, after_end: float) -> Floats:
        """Return a column [n] as a table [m, T] of sessions by steps, filled up after each session's end."""
        table = np.full((self.n_sessions, self.horizon), after_end)
        table[self.position, self.step] = column
        return table

    @cached_property
    def weight(self) -> Floats:
        """Importance ratios ρ_t = π_e(a_t∣s_t) / π_b(a_t∣s_t), 1 after the end; shape [m, T]."""
        return self.grid(self.evaluation_prob / self.propensity, after_end=1.0)

    @cached_property
    def cumulative_weight(self) -> Floats:
        """Weights ρ_{0:t} = ρ_0 ⋯ ρ_t, shape [m, T]; after the end they stay what they were."""
        return np.multiply.accumulate(self.weight, axis=1)

    @cached_property
    def reward_by_step(self) -> Floats:
        """Rewards by session and step, 0 after the end; shape [m, T]."""
        return self.grid(self.reward, after_end=0.0)

    def modeled(self, asker: str) -> tuple[Floats, Floats]:
        """Return tables [m, T] of q_logged and v, 0 after the end, for an estimator that needs them.

        Raises ValueError with the asker's name where the sessions carry no model.
        """
        if self.q_logged is None or self.v is None:
            raise ValueError(
                f"estimator {asker} needs a model, but these sessions carry no q_logged and v. Fill them "
                "by fitted_q_evaluation.cross_fitted, or ask for per_decision_is."
            )
        return self.grid(self.q_logged, after_end=0.0), self.grid(self.v, after_end=0.0)

    def logging_policy(self) -> Self:
        """Return the logging policy evaluated on its own log: every ratio is 1 and v is q_logged.

        Weighted and doubly robust estimates then are the mean discounted reward, whatever the model.
        """
        return replace(self, evaluation_prob=self.propensity, v=self.q_logged)

    def select(self, sessions: NDArray[np.bool_] | Ints) -> Self:
        """Return the sessions where a mask [m] is true, or those at the given positions, in that order."""
        chosen = np.arange(self.n_sessions)[sessions]
        lengths = self.length[chosen]
        within = np.arange(lengths.sum()) - np.repeat(lengths.cumsum() - lengths, lengths)
        rows = np.repeat(self.first_row[chosen], lengths) + within
        return type(self)(
            horizon=self.horizon, **{name: column[rows] for name, column in self._columns().items()}
        )

    def _columns(self) -> dict[str, Any]:
        columns = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "horizon"}
        return {name: column for name, column in columns.items() if column is not None}


def _checked(name: str, column: NDArray[Any], n: int) -> Floats | Ints:
    """Return the column as a read-only array of its type, or raise a ValueError about its first bad row."""
    array = np.asarray(column)
    dimensions = 2 if name == "features" else 1
    if array.ndim != dimensions or len(array) != n:
        raise ValueError(
            f"{name} has shape {array.shape}, but there are {n} rewards: "
            f"give one {'row of numbers' if name == 'features' else 'number'} per step."
        )
    if name in INDICES:
        return _read_only(_index(name, array))
    numbers = array.astype(np.float64, copy=False)
    _refuse(name, numbers, ~np.isfinite(numbers), FINITE)
    if name == "propensity":
        _refuse(
            name,
            numbers,
            (numbers <= 0) | (numbers > 1 + FLOAT32_SLACK),
            "A logged action must have been possible, with a probability in (0, 1]; re-export the log.",
        )
        numbers = np.minimum(numbers, 1.0)
    if name == "evaluation_prob":
        outside = (numbers < -FLOAT32_SLACK) | (numbers > 1 + FLOAT32_SLACK)
        _refuse(name, numbers, outside, "A probability lies in [0, 1]; check the evaluation policy.")
        numbers = np.clip(numbers, 0.0, 1.0)
    return _read_only(numbers)


def _index(name: str, array: NDArray[Any]) -> Ints:
    if array.dtype.kind not in "iu":
        raise ValueError(f"{name} holds {array.dtype} values: give integer indices.")
    if name == "action":
        _refuse(name, array, array < 0, "Indices count from 0.")
    return array.astype(np.int64, copy=False)


def _check_order(session: Ints, step: Ints, cluster: Ints, horizon: int) -> None:
    """Raise ValueError unless each session's rows stand together, count 0, 1, 2, … and share a cluster."""
    continues = np.r_[False, session[1:] == session[:-1]][: len(step)]
    previous = np.r_[-1, step[:-1]][: len(step)]
    expected = np.where(continues, previous + 1, 0)
    begins = np.flatnonzero(~continues)
    _, first_time = np.unique(session[begins], return_index=True)
    repeated = ~continues
    repeated[begins[first_time]] = False
    changed = continues & np.r_[False, cluster[1:] != cluster[:-1]][: len(step)]
    _refuse_row(
        repeated,
        lambda row: (
            f"session {session[row]} begins a second time. Let the rows of a session stand together: sort by "
            "session and step, and give every session an index of its own."
        ),
    )
    _refuse_row(
        step != expected,
        lambda row: (
            f"step is {step[row]} where session {session[row]} should have {expected[row]}. "
            "Steps count 0, 1, 2, … without a gap; sort by session and step."
        ),
    )
    _refuse_row(
        step >= horizon,
        lambda row: (
            f"step {step[row]} of session {session[row]} lies past the horizon of {horizon} steps. "
            "Raise the horizon, or cut the session."
        ),
    )
    _refuse_row(
        changed,
        lambda row: f"session {session[row]} changes its cluster. A session belongs to one cluster.",
    )


def _refuse(name: str, numbers: NDArray[Any], bad: NDArray[np.bool_], what_next: str) -> None:
    if bad.any():
        place = np.unravel_index(int(np.argmax(bad)), bad.shape)
        raise ValueError(f"row {place[0]}: {name} is {numbers[place]:g}. {what_next}")


def _refuse_row(bad: NDArray[np.bool_], what: Callable[[int], str]) -> None:
    if bad.any():
        row = int(np.argmax(bad))
        raise ValueError(f"row {row}: {what(row)}")


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    view = array.view()
    view.flags.writeable = False
    return view
