"""Rankers side by side on one time window: each one's metrics, and what it is better by than popularity.

This is evidence of the level `unproven`: what users went for without being shown it, or because the shop of
those days showed it to them. A better metric is not a promise of more purchases; only a randomized log or an
experiment says that.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import sparse

from offline_rl.interactions import Bools, Floats, Interactions, Ints
from offline_rl.ranking.inference import difference_interval, mean_interval, share_interval
from offline_rl.ranking.metrics import METRICS, coverage, hits, popularity_rank, popularity_ranks
from offline_rl.ranking.ranker import Recipe, bought
from offline_rl.ranking.time_windows import users_of
from offline_rl.ranking.top_items import TopItems

CUTOFFS = (10,)
"""Lengths of lists that are measured."""


@dataclass(frozen=True)
class RankerQuality:
    """A row of out_recommendation_quality: one metric of one ranker on one window.

    value, lower, upper: mean over users with its interval; of coverage there is no interval. value is None
    where no list has an item whose popularity could be ranked.
    difference and its interval: to the baseline, paired by user; None in the baseline's own rows and of
    coverage. n_cold_users: users of the window without any act before it. window_from, window_until:
    microseconds since 1970-01-01 UTC.
    """

    domain: str
    ranker: str
    metric: str
    cutoff: int
    value: float | None
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

    users: int64 [b], those with a purchase in it. is_cold: bool [b], those without any act before it.
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

    @cached_property
    def relevant(self) -> sparse.csr_array:
        """What the users bought in the window, [b, I]."""
        return bought(self.acts)[self.users]

    def measures(self, top: Ints, cutoffs: Sequence[int]) -> dict[tuple[str, int], Floats]:
        """Return metrics by user, (metric, cutoff) → float64 [b], of lists int64 [b, N]."""
        n_relevant = np.diff(self.relevant.indptr).astype(np.int64)
        hit = hits(top, self.relevant)
        found = {
            (name, k): metric(hit[:, :k], n_relevant) for name, metric in METRICS.items() for k in cutoffs
        }
        counts = np.bincount(self.known.item, self.known.weight, self.known.n_items)
        ranks = popularity_ranks(counts.astype(np.float64, copy=False))
        return found | {("popularity_rank", k): popularity_rank(top[:, :k], ranks) for k in cutoffs}


def ranked(
    recipes: Sequence[Recipe], window: LaterWindow, n: int, is_shown: Bools | None = None
) -> dict[str, TopItems]:
    """Return the top n items of the window's users by each recipe, fitted to what was known when it began.

    One ranker at a time is in memory. is_shown: bool [I], items that can be shown; None: all.
    Raises ValueError for two recipes of one name.
    """
    names = [recipe.name for recipe in recipes]
    if len(set(names)) < len(names):
        raise ValueError(f"two rankers of one name among {', '.join(names)}: give each a name of its own.")
    return {
        recipe.name: recipe.fit(window.known, window.start).top(window.users, n, is_shown)
        for recipe in recipes
    }


def compared(
    lists: Mapping[str, TopItems],
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

    lists: name → lists of the window's users (`ranked`), as long as the largest cutoff. baseline: what
    differences are to. chosen: the ranker that is marked; None: no row is. is_shown: as in `ranked`.
    Raises ValueError for a baseline that is not among the rankers, and for a window without users.
    """
    if baseline not in lists:
        raise ValueError(f"{baseline} is not among {', '.join(lists)}: differences need it.")
    if not len(window.users):
        raise ValueError("nobody bought in this window: ask `time_windows` for one that can be measured.")
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
                    **vars(estimate),
                    n_users=len(window.users),
                    n_cold_users=int(window.is_cold.sum()),
                    window_from=window.start,
                    window_until=window.end,
                    is_chosen=name == chosen,
                )
            )
    return rows


@dataclass(frozen=True)
class _Estimate:
    """A metric's mean and its difference to the baseline, each with its interval; None where it has none."""

    value: float | None
    lower: float | None = None
    upper: float | None = None
    difference: float | None = None
    difference_lower: float | None = None
    difference_upper: float | None = None


def _means(
    values: Mapping[tuple[str, int], Floats],
    against: Mapping[tuple[str, int], Floats] | None,
    confidence: float,
) -> Iterator[tuple[tuple[str, int], _Estimate]]:
    """Yield mean and paired difference of each metric, with their intervals."""
    for key, of_users in values.items():
        is_share = key[0] in METRICS
        # A ranker without any item for a user has no popularity rank there.
        known = of_users[np.isfinite(of_users)]
        found = (share_interval if is_share else mean_interval)(known, confidence)
        estimate = _Estimate(_known(_mean(known)), _known(found.lower), _known(found.upper))
        if against is not None:
            gain = of_users - against[key]
            gain = gain[np.isfinite(gain)]
            found = (difference_interval if is_share else mean_interval)(gain, confidence)
            estimate = replace(
                estimate,
                difference=_known(_mean(gain)),
                difference_lower=_known(found.lower),
                difference_upper=_known(found.upper),
            )
        yield key, estimate


def _coverages(
    top: TopItems, cutoffs: Sequence[int], n_shown: int
) -> Iterator[tuple[tuple[str, int], _Estimate]]:
    for k in cutoffs:
        yield ("coverage", k), _Estimate(_known(coverage(top.item[:, :k], n_shown)))


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _known(number: float) -> float | None:
    return None if np.isnan(number) else number
