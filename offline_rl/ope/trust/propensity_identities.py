"""The identities that correct propensities obey: Σ 1/p counts the rounds."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from offline_rl.ope.models.action_batches import PerAction, check_actions
from offline_rl.ope.records import Floats, Ints

TIME_SLICES = 4


@dataclass(frozen=True, eq=False)
class PropensityLog:
    """What an audit looks at: n rounds of which the action and its logged probability are known.

    | field | shape | meaning |
    |---|---|---|
    | action, propensity, cluster | [n] | as in `EvaluationRounds`, propensities unchecked |
    | n_actions | | A; None: the actions that occur are all there were |
    | probabilities | [n, A] | logged π_b(·∣x), an array or a function of row indices; None where not logged |
    | available, set_index | [S, A], [n] | which actions a round could show; None: all |
    | slot, time | [n] | where and when, any numbers that sort; None where unknown |

    Raises ValueError for columns of different lengths, an unknown action, or no rounds.
    """

    action: Ints
    propensity: Floats
    cluster: Ints
    n_actions: int | None = None
    probabilities: PerAction | None = None
    available: NDArray[np.bool_] | None = None
    set_index: Ints | None = None
    slot: NDArray[np.int64 | np.float64] | None = None
    time: NDArray[np.int64 | np.float64] | None = None

    def __post_init__(self) -> None:
        n = len(self.action)
        if n == 0:
            raise ValueError("there are no rounds to audit: give a log with at least one round.")
        for name in ("propensity", "cluster", "set_index", "slot", "time"):
            column = getattr(self, name)
            if column is not None and len(column) != n:
                raise ValueError(
                    f"{name} has {len(column)} rows, but there are {n} actions: give one per round."
                )
        if self.n_actions is not None:
            check_actions(self.action, self.n_actions)
        if (self.available is None) != (self.set_index is None):
            raise ValueError("available and set_index belong together: give both or neither.")
        if self.probabilities is not None and self.n_actions is None:
            raise ValueError("probabilities of all actions need n_actions, the number of their columns.")


@dataclass(frozen=True)
class Identity:
    """Σ 1/p over Σ of its expectation, for one action (None: all) in one slice (None: the whole log).

    ratio is 1 in expectation; variance is that of the ratio; n_expected the number of rounds (or of pairs of
    rounds and actions) that the expectation counts; n_chosen how often the action was chosen, and
    n_if_uniform how often a uniform policy would have chosen it; n_behind_variance is (Σ_c S_c²)² / Σ_c S_c⁴,
    the number of clusters that the variance effectively rests on, with S_c the sum of 1/p of a cluster.
    """

    action: int | None
    slice_name: str | None
    ratio: float
    variance: float
    n_expected: float
    n_chosen: int
    n_if_uniform: float
    n_behind_variance: float


def _actions(log: PropensityLog) -> Ints:
    return np.unique(log.action) if log.n_actions is None else np.arange(log.n_actions, dtype=np.int64)


def n_available(log: PropensityLog) -> Floats:
    """How many actions each round could have shown, [n]."""
    actions = _actions(log)
    if log.available is None or log.set_index is None:
        return np.full(len(log.action), float(len(actions)))
    return np.asarray(log.available[:, actions].sum(axis=1)[log.set_index], dtype=np.float64)


def _slices(log: PropensityLog) -> Iterator[tuple[str | None, NDArray[np.bool_]]]:
    yield None, np.ones(len(log.action), dtype=bool)
    if log.slot is not None:
        for slot in np.unique(log.slot):
            yield f"slot {slot:g}", log.slot == slot
    if log.time is not None:
        inner = np.quantile(log.time, np.arange(1, TIME_SLICES) / TIME_SLICES)
        quarter = np.searchsorted(inner, log.time, side="left")
        for k in np.unique(quarter):
            yield f"quarter {k + 1} of the time", quarter == k


def identities(log: PropensityLog) -> Iterator[Identity]:
    """All identities that the log's columns allow; each slice takes a few sparse products over its rounds."""
    actions, column = np.unique(log.action, return_inverse=True)
    available = np.ones((1, len(actions)))
    set_index = np.zeros(len(log.action), dtype=np.int64)
    if log.n_actions is not None:
        actions, column = np.arange(log.n_actions), log.action
        available = np.ones((1, log.n_actions))
    if log.available is not None and log.set_index is not None:
        available, set_index = log.available[:, actions].astype(np.float64), log.set_index
    for name, mask in _slices(log):
        rows = np.flatnonzero(mask)
        sets, inverse = set_index[rows], 1 / log.propensity[rows]
        _, position = np.unique(log.cluster[rows], return_inverse=True)
        yield from _over_all_actions(name, inverse, available.sum(axis=1)[sets], position)
        yield from _over_each_action(
            name,
            actions,
            column=column[rows],
            inverse=inverse,
            available=available,
            sets=sets,
            position=position,
        )


def _over_each_action(
    slice_name: str | None,
    actions: Ints,
    *,
    column: Ints,
    inverse: Floats,
    available: Floats,
    sets: Ints,
    position: Ints,
) -> Iterator[Identity]:
    """The identity of each action that was available or chosen; `column` is the place of a round's action."""
    n_sets, n_actions = available.shape
    n_clusters = int(position.max()) + 1
    sums: Any = csr_matrix((inverse, (position, column)), shape=(n_clusters, n_actions))
    rounds: Any = csr_matrix((np.ones(len(sets)), (position, sets)), shape=(n_clusters, n_sets))
    n_rounds, each = np.bincount(sets, minlength=n_sets), np.ones(n_clusters)
    n_chosen = np.bincount(column, minlength=n_actions)
    n_if_uniform = (n_rounds / np.maximum(1, available.sum(axis=1))) @ available
    n_expected, totals = n_rounds @ available, each @ sums
    # Σ_c S_c², Σ_c S_c m_c and Σ_c m_c² of each action; m_c counts the rounds in which it was available.
    squares, fourths = each @ sums.power(2), each @ sums.power(4)
    products = ((rounds.T @ sums).toarray() * available).sum(axis=0)
    sizes = (((rounds.T @ rounds) @ available) * available).sum(axis=0)
    ratios = np.divide(totals, n_expected, out=np.full(n_actions, np.inf), where=n_expected > 0)
    for a in np.flatnonzero((n_expected > 0) | (n_chosen > 0)):
        ratio, variance = float(ratios[a]), 0.0
        if n_expected[a] > 0:
            spread = squares[a] - 2 * ratio * products[a] + ratio**2 * sizes[a]
            variance = _sample_correction(n_clusters) * max(0.0, float(spread)) / float(n_expected[a]) ** 2
        yield Identity(
            action=int(actions[a]),
            slice_name=slice_name,
            ratio=ratio,
            variance=variance,
            n_expected=float(n_expected[a]),
            n_chosen=int(n_chosen[a]),
            n_if_uniform=float(n_if_uniform[a]),
            n_behind_variance=float(squares[a] ** 2 / fourths[a]) if n_chosen[a] else 0.0,
        )


def _sample_correction(n_clusters: int) -> float:
    return n_clusters / max(1, n_clusters - 1)


def _over_all_actions(
    slice_name: str | None, inverse: Floats, expected: Floats, position: Ints
) -> Iterator[Identity]:
    """The identity of all actions together, unless none was available."""
    n_expected = float(expected.sum())
    if n_expected == 0:
        return
    ratio = float(inverse.sum()) / n_expected
    off = np.bincount(position, inverse - ratio * expected)
    squares = np.bincount(position, inverse) ** 2
    yield Identity(
        action=None,
        slice_name=slice_name,
        ratio=ratio,
        variance=_sample_correction(len(off)) * float(off @ off) / n_expected**2,
        n_expected=n_expected,
        n_chosen=len(inverse),
        n_if_uniform=float(len(inverse)),
        n_behind_variance=float(squares.sum() ** 2 / (squares @ squares)),
    )
