"""Rankers side by side on one time window: each one's metrics, and what it is better by than popularity.

This is evidence of the level `unproven`: what users went for without being shown it, or because the shop of
those days showed it to them. A better metric is no promise of more purchases; only a randomized log or an
experiment says that.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from offline_rl.interactions import Bools, Floats, Interactions, Ints
from offline_rl.ope.bootstrap import Interval
from offline_rl.ranking.inference import difference_interval, mean_interval, share_interval
from offline_rl.ranking.metrics import METRICS, coverage, hits, popularity_rank, popularity_ranks
from offline_rl.ranking.ranker import Ranker, Recipe, pairs_of
from offline_rl.ranking.time_windows import users_of
from offline_rl.ranking.top_items import TopItems

CUTOFFS = (10,)
"""Lengths of lists that are measured."""


@dataclass(frozen=True)
class RankerQuality:
    """A row of out_recommendation_quality: one metric of one ranker on one window.

    value, lower, upper: mean over users with its interval; of coverage there is no interval.
    difference and its interval: to the baseline, paired by user; None in the baseline's own rows and of
    coverage. n_cold_users: users of the window without any act before it. window_from, window_until:
    microseconds since 1970-01-01 UTC.
    """

    domain: str
    ranker: str
    metric: str
    cutoff: int
    value: float
    lower: float | None
    upper: float | None
    difference: float | None
    difference_lower: float | None
    difference_upper: float | None
    n_users: int
    n_cold_users: int
    window_from: int
    window_until: int
    is_chosen: bool


@dataclass(frozen=True, eq=False)
class LaterWindow:
    """What users went for in a window, and who they are.

    users: int64 [b], those with a purchase in it. relevant: [b, I], what they bought. is_cold: bool [b].
    """

    acts: Interactions
    known: Interactions
    start: int
    end: int
    users: Ints
    is_cold: Bools

    @classmethod
    def of(cls, acts: Interactions, start: int, end: int) -> "LaterWindow":
        """Return a window of a log: start <= moment < end, microseconds; nothing later is looked at."""
        known = acts.between(None, start)
        users = users_of(acts, start, end)
        has_history = np.bincount(known.user, minlength=acts.n_users)[users] > 0
        return cls(acts.between(start, end), known, start, end, users, ~has_history)

    def measures(self, top: Ints, cutoffs: Sequence[int]) -> dict[tuple[str, int], Floats]:
        """Return metrics by user, (metric, cutoff) → float64 [b], of lists int64 [b, N]."""
        bought = self.acts.select(self.acts.purchases)
        relevant = pairs_of(bought, np.ones(bought.n))[self.users]
        n_relevant = np.diff(relevant.indptr).astype(np.int64)
        hit = hits(top, relevant)
        found = {
            (name, k): metric(hit[:, :k], n_relevant) for name, metric in METRICS.items() for k in cutoffs
        }
        ranks = popularity_ranks(np.bincount(self.known.item, self.known.weight, self.known.n_items))
        return found | {("popularity_rank", k): popularity_rank(top[:, :k], ranks) for k in cutoffs}


def fitted(recipes: Sequence[Recipe], window: LaterWindow) -> dict[str, Ranker]:
    """Fit each recipe to what was known when the window began; raises ValueError for two of one name."""
    names = [recipe.name for recipe in recipes]
    if len(set(names)) < len(names):
        raise ValueError(f"two rankers of one name among {', '.join(names)}: give each a name of its own.")
    return {recipe.name: recipe.fit(window.known, window.start) for recipe in recipes}


def compared(
    rankers: Mapping[str, Ranker],
    window: LaterWindow,
    *,
    baseline: str,
    chosen: str | None = None,
    cutoffs: Sequence[int] = CUTOFFS,
    is_shown: Bools | None = None,
    confidence: float = 0.95,
    domain: str = "recommendation",
) -> list[RankerQuality]:
    """Return rows for each ranker, metric and cutoff, in the order of the rankers.

    rankers: name → ranker, fitted to what was known when the window began. baseline: what differences are to.
    chosen: the ranker that is marked; None: no row is. is_shown: bool [I], items that can be shown.
    Raises ValueError for a baseline that is not among the rankers, and for a window without users.
    """
    if baseline not in rankers:
        raise ValueError(f"{baseline} is not among {', '.join(rankers)}: differences need it.")
    if not len(window.users):
        raise ValueError("nobody bought in this window: ask `time_windows` for one that can be measured.")
    lists = {name: ranker.top(window.users, max(cutoffs), is_shown) for name, ranker in rankers.items()}
    values = {name: window.measures(top.item, cutoffs) for name, top in lists.items()}
    n_shown = window.acts.n_items if is_shown is None else int(is_shown.sum())
    rows = []
    for name, top in lists.items():
        against = None if name == baseline else values[baseline]
        for (metric, cutoff), estimate in (
            *_means(values[name], against, confidence),
            *_coverages(top, cutoffs, n_shown),
        ):
            rows.append(
                RankerQuality(
                    domain=domain,
                    ranker=name,
                    metric=metric,
                    cutoff=cutoff,
                    **estimate,
                    n_users=len(window.users),
                    n_cold_users=int(window.is_cold.sum()),
                    window_from=window.start,
                    window_until=window.end,
                    is_chosen=name == chosen,
                )
            )
    return rows


Estimates = dict[str, float | None]
_NO_INTERVAL: Estimates = dict.fromkeys(
    ("lower", "upper", "difference", "difference_lower", "difference_upper")
)


def _means(
    values: Mapping[tuple[str, int], Floats],
    against: Mapping[tuple[str, int], Floats] | None,
    confidence: float,
) -> Iterator[tuple[tuple[str, int], Estimates]]:
    """Yield mean and paired difference of each metric, with their intervals."""
    for key, of_users in values.items():
        is_share = key[0] in METRICS
        # A ranker without any item for a user has no popularity rank there.
        is_known = np.isfinite(of_users)
        interval = (share_interval if is_share else mean_interval)(of_users[is_known], confidence)
        estimate = _NO_INTERVAL | {"value": _mean(of_users[is_known]), **_ends(interval, "lower", "upper")}
        if against is not None:
            gain = of_users - against[key]
            gain = gain[np.isfinite(gain)]
            interval = (difference_interval if is_share else mean_interval)(gain, confidence)
            estimate |= {"difference": _known(_mean(gain))}
            estimate |= _ends(interval, "difference_lower", "difference_upper")
        yield key, estimate


def _coverages(
    top: TopItems, cutoffs: Sequence[int], n_shown: int
) -> Iterator[tuple[tuple[str, int], Estimates]]:
    for k in cutoffs:
        yield ("coverage", k), _NO_INTERVAL | {"value": coverage(top.item[:, :k], n_shown)}


def _ends(interval: Interval, lower: str, upper: str) -> Estimates:
    return {lower: _known(interval.lower), upper: _known(interval.upper)}


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _known(number: float) -> float | None:
    return None if np.isnan(number) else number
