"""The identities that correct propensities obey: Σ 1/p counts the rounds."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from offline_rl.ope.models.action_batches import PerAction, check_actions
from offline_rl.ope.records import Floats, Ints
from offline_rl.ope.trust.betting import among_the_first, log_e_value

TIME_SLICES = 4

NEGLIGIBLE = 0.005
"""Relative deviation that is never reported, however certain: logs round their probabilities."""

TOO_LARGE, TOO_SMALL = 1 + NEGLIGIBLE, 1 - NEGLIGIBLE


@dataclass(frozen=True, eq=False)
class PropensityLog:
    """The rounds of an audit: n rounds of which the action and its logged probability are known.

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
class LogPart:
    """A part of a log: one slot, or one quarter of its time."""

    kind: Literal["slot", "quarter"]
    number: float


@dataclass(frozen=True)
class Identity:
    """Σ 1/p over Σ of its expectation, for one action (None: all) in one part (None: the whole log).

    ratio is 1 in expectation; n_expected the number of rounds (or of pairs of rounds and actions) that the
    expectation counts; n_chosen how often the action was chosen, and n_if_uniform how often a uniform policy
    would have chosen it; n_behind is (Σ_c S_c²)² / Σ_c S_c⁴, the number of clusters that the sum effectively
    rests on, with S_c the sum of 1/p of a cluster.

    log_e_excess, log_e_shortfall: log e-values (`betting`) against a sum that is not too large, and one that
    is not too small; deviations up to NEGLIGIBLE are neither. That of a shortfall is exact only where every
    round is its own cluster, or where one cluster can't hide much (`_shortfall`).
    """

    action: int | None
    part: LogPart | None
    ratio: float
    n_expected: float
    n_chosen: int
    n_if_uniform: float
    n_behind: float
    log_e_excess: float
    log_e_shortfall: float


def _actions(log: PropensityLog) -> Ints:
    return np.unique(log.action) if log.n_actions is None else np.arange(log.n_actions, dtype=np.int64)


def n_available(log: PropensityLog) -> Floats:
    """Return how many actions each round could have shown, [n]."""
    actions = _actions(log)
    if log.available is None or log.set_index is None:
        return np.full(len(log.action), float(len(actions)))
    return np.asarray(log.available[:, actions].sum(axis=1)[log.set_index], dtype=np.float64)


def _slices(log: PropensityLog) -> Iterator[tuple[LogPart | None, NDArray[np.bool_]]]:
    yield None, np.ones(len(log.action), dtype=bool)
    if log.slot is not None:
        for slot in np.unique(log.slot):
            yield LogPart("slot", float(slot)), log.slot == slot
    if log.time is not None:
        inner = np.quantile(log.time, np.arange(1, TIME_SLICES) / TIME_SLICES)
        quarter = np.searchsorted(inner, log.time, side="left")
        for k in np.unique(quarter):
            yield LogPart("quarter", int(k) + 1), quarter == k


def identities(log: PropensityLog, least_propensity: float) -> Iterator[Identity]:
    """Yield all identities that the log's columns allow; each slice takes a few sparse products.

    least_propensity: the least probability that the policy gives to an available action.
    """
    actions, column = np.unique(log.action, return_inverse=True)
    available = np.ones((1, len(actions)))
    set_index = np.zeros(len(log.action), dtype=np.int64)
    if log.n_actions is not None:
        actions, column = np.arange(log.n_actions), log.action
        available = np.ones((1, log.n_actions))
    if log.available is not None and log.set_index is not None:
        available, set_index = log.available[:, actions].astype(np.float64), log.set_index
    for of, mask in _slices(log):
        rows = np.flatnonzero(mask)
        _, position = np.unique(log.cluster[rows], return_inverse=True)
        part = _Slice(
            of=of,
            column=column[rows],
            inverse=1 / log.propensity[rows],
            sets=set_index[rows],
            available=available,
            position=position,
            counted=among_the_first(position),
            most_inverse=1 / least_propensity,
        )
        yield from _over_all_actions(part)
        yield from _over_each_action(part, actions)


@dataclass(frozen=True, eq=False)
class _Slice:
    """Rounds of one slice: place of the action, 1/p, availability and cluster of each, all [m]."""

    of: LogPart | None
    column: Ints
    inverse: Floats
    sets: Ints
    available: Floats
    position: Ints
    counted: NDArray[np.bool_]
    most_inverse: float

    @property
    def n_clusters(self) -> int:
        return int(self.position.max()) + 1


def _over_each_action(part: _Slice, actions: Ints) -> Iterator[Identity]:
    """Yield the identity of each action that was available or chosen."""
    n_sets, n_actions = part.available.shape
    sums, bets = _by_cluster(part), _by_cluster(part, part.counted)
    n_rounds = np.bincount(part.sets, minlength=n_sets)
    n_chosen = np.bincount(part.column, minlength=n_actions)
    n_if_uniform = (n_rounds / np.maximum(1, part.available.sum(axis=1))) @ part.available
    n_expected, totals = n_rounds @ part.available, np.asarray(sums.sum(axis=0)).ravel()
    ratios = np.divide(totals, n_expected, out=np.full(n_actions, np.inf), where=n_expected > 0)
    everywhere = _sizes(part, part.counted), _sizes(part)
    for a in map(int, np.flatnonzero((n_expected > 0) | (n_chosen > 0))):
        of_bet, size = everywhere
        if not part.available[:, a].all():
            could = part.available[part.sets, a] > 0
            of_bet, size = _sizes(part, part.counted & could), _sizes(part, could)
        place, chosen = _column_of(bets, a)
        excess, exact = _exact(chosen, of_bet[place], np.bincount(of_bet), part.most_inverse)
        place, chosen = _column_of(sums, a)
        off: Floats = TOO_SMALL * size.astype(np.float64)
        off[place] -= chosen
        inverse = part.inverse[part.column == a]
        squares = np.square(chosen)
        yield Identity(
            action=int(actions[a]),
            part=part.of,
            ratio=float(ratios[a]),
            n_expected=float(n_expected[a]),
            n_chosen=int(n_chosen[a]),
            n_if_uniform=float(n_if_uniform[a]),
            n_behind=float(squares.sum() ** 2 / (squares @ squares)) if n_chosen[a] else 0.0,
            log_e_excess=excess,
            log_e_shortfall=_shortfall(
                exact,
                deviation=np.r_[TOO_SMALL - inverse, TOO_SMALL],
                times=np.r_[np.ones(len(inverse)), max(0.0, n_expected[a] - len(inverse))],
                worst_loss=part.most_inverse - TOO_SMALL,
                of_cluster=off,
            ),
        )


def _by_cluster(part: _Slice, mask: NDArray[np.bool_] | slice = slice(None)) -> Any:
    """Return sums of 1/p by cluster and action, of the rounds in a mask; a sparse matrix by columns."""
    place = part.position[mask], part.column[mask]
    shape = part.n_clusters, part.available.shape[1]
    return csr_matrix((part.inverse[mask], place), shape=shape).tocsc()


def _column_of(sums: Any, column: int) -> tuple[Ints, Floats]:
    """Return the clusters of one column of a sparse matrix, and their sums."""
    span = slice(sums.indptr[column], sums.indptr[column + 1])
    return sums.indices[span], sums.data[span]


def _sizes(part: _Slice, mask: NDArray[np.bool_] | slice = slice(None)) -> Ints:
    """Return the number of rounds of each cluster, or of those where a mask is true, [C]."""
    return np.bincount(part.position[mask], minlength=part.n_clusters)


def _exact(chosen: Floats, size: Ints, sizes: Ints, most_inverse: float) -> tuple[float, float]:
    """Return log e-values against sums that are not too large and not too small, by bets on clusters.

    chosen, size: sum of 1/p and rounds of every cluster with a choice; sizes: [m], how many clusters of the
    slice have how many rounds. Those without a choice differ by their size alone, so they are bet on all at
    once.
    """
    largest = len(sizes) - 1
    without = sizes - np.bincount(size, minlength=len(sizes))
    seen = np.r_[chosen, np.zeros(len(sizes))]
    due, times = np.r_[size, np.arange(len(sizes))], np.r_[np.ones(len(chosen)), without]
    return (
        log_e_value(seen - TOO_LARGE * due, TOO_LARGE * largest, times),
        log_e_value(TOO_SMALL * due - seen, (most_inverse - TOO_SMALL) * largest, times),
    )


def _shortfall(
    exact: float, *, deviation: Floats, times: Floats, worst_loss: float, of_cluster: Floats
) -> float:
    """Return the log e-value against a sum that is not too small, where clusters allow no exact one.

    What a cluster might have added is its number of rounds over the least probability, and so large a loss
    allows no stake to speak of. So beside the exact bet on clusters one on rounds is made, half of the money
    each, and its log is divided by the design effect Σ_c D_c² / Σ_i d_i² around what is claimed. Where all
    rounds of a cluster say the same this is the bet on clusters again; where they are drawn one by one, that
    on rounds. It can't win by much from fewer than some 20 clusters.

    deviation, times: of rounds from what is due, and how often each occurs; of_cluster: [C] their sums.
    """
    squares = float(np.square(deviation) @ times)
    effect = float(of_cluster @ of_cluster) / squares if squares > 0 else 1.0
    of_rounds = log_e_value(deviation, worst_loss, times) / max(1.0, effect)
    return float(np.logaddexp(exact, of_rounds) - np.log(2))


def _over_all_actions(part: _Slice) -> Iterator[Identity]:
    """Yield the identity of all actions together, unless none was available."""
    expected = part.available.sum(axis=1)[part.sets]
    n_expected = float(expected.sum())
    if n_expected == 0:
        return
    inverse, counted, position = part.inverse, part.counted, part.position
    seen = np.bincount(position[counted], inverse[counted]).astype(np.float64)
    due = np.bincount(position[counted], expected[counted]).astype(np.float64)
    most = part.most_inverse * np.bincount(position[counted])
    off: Floats = TOO_SMALL * expected - inverse
    squares = np.bincount(position, inverse) ** 2
    yield Identity(
        action=None,
        part=part.of,
        ratio=float(inverse.sum()) / n_expected,
        n_expected=n_expected,
        n_chosen=len(inverse),
        n_if_uniform=float(len(inverse)),
        n_behind=float(squares.sum() ** 2 / (squares @ squares)),
        log_e_excess=log_e_value(seen - TOO_LARGE * due, TOO_LARGE * float(due.max())),
        log_e_shortfall=_shortfall(
            log_e_value(TOO_SMALL * due - seen, float((most - TOO_SMALL * due).max())),
            deviation=off,
            times=np.ones(len(off)),
            worst_loss=part.most_inverse - TOO_SMALL * float(expected.min()),
            of_cluster=np.bincount(position, off).astype(np.float64),
        ),
    )
