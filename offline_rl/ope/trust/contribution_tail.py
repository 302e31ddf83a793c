"""The tail of the contributions w r: whether their mean converges, or few large orders decide it.

No interval is valid for every mean of unbounded rewards (Bahadur & Savage 1956): a log of orders looks the
same with and without the one order in a million that carries the mean. What a log can show is whether its own
contributions are of a kind for which intervals are known to hold, and this is what is measured here.

A cluster contributes c_g = Σ_{i∈g} w_i r_i, or Σ w_i (r_i − q_i) where a reward model is corrected. Weights
alone can make contributions uneven, and other checks are about weights. So each number is taken twice, for
c_g and for the amount y_g = |c_g| / w̄_g, with w̄_g the mean weight of the cluster's m_g rounds that earned
something, and speaks of rewards only where both are bad. With one click of 0 or 1 a cluster all amounts are
1, and no check here can fail. The number of clusters that carry the sum is computed from y_g / m_g, so that
users who click twice in a small log of clicks are not mistaken for large orders.
"""

from dataclasses import dataclass, replace
from math import inf, isnan, nan, sqrt
from typing import Literal

import numpy as np

from offline_rl.ope.cluster_positions import cluster_positions
from offline_rl.ope.records import EvaluationRounds, Floats
from offline_rl.ope.trust.pareto_tail import (
    FEWEST_TO_FIT,
    PRIOR_INDEX,
    PRIOR_WEIGHT,
    pareto_k,
    tail_size,
)

CORRECTING = frozenset(
    {
        "dr",
        "sndr",
        "beta_dr",
        "switch_dr",
        "dr_os",
        "subgaussian_dr",
        "mrdr",
        "off_cem",
        "balanced_loggers_dr",
        "weighted_loggers_dr",
    }
)
"""Families of estimators that correct a reward model: they rest on w (r − q), all others on w r."""

NO_THIRD_MOMENT = 1 / 3
"""Tail index from which the third moment is infinite: no bootstrap then knows how skewed a mean is."""

NO_VARIANCE = 0.5
"""Tail index from which the variance is infinite: no interval then shrinks as 1 / √n."""

SURELY, NEARLY = 2.0, 1.5
"""Standard errors by which an index above its limit is a doubt, and by which intervals carry a label."""

MAX_SHARE = 0.2
"""Share of all contributions that one cluster may hold."""

MIN_EFFECTIVE = 20.0
"""Fewest effective contributions that a mean needs; users with equal rewards count one each."""

RECURS = 5
"""Clusters with the largest amount from which on it is a cap, such as a limit of clicks, not a tail."""


@dataclass(frozen=True)
class ContributionTail:
    """The unevenness of the contributions of a log's clusters, of those that earned something.

    The others contribute nothing to w r, and to w (r − q) the small change of a model, which would hide a
    large order.

    | field | formula | unit |
    |---|---|---|
    | of | what contributes: weighted rewards w r, or weighted corrections w (r − q) | |
    | n | clusters with a reward other than 0 and a weight above 0 | clusters |
    | largest | the c_g that is farthest from 0 | reward |
    | largest_share | max ∣c∣ / Σ ∣c∣, where others count ∣Σ w r∣ at most | share |
    | effective | (Σ ∣c∣)² / Σ c²: equal contributions that would be as uneven, with that limit | clusters |
    | index | Hill's tail index of ∣c∣ (`hill_index`); −∞ without a tail, NaN where it is unknown | |
    | n_tail | contributions that the index rests on | clusters |
    | pareto_k | index of a generalized Pareto law fitted to the same tail (`pareto_tail.pareto_k`) | |
    | amount_share, amount_index, amount_pareto_k | the same of y | |
    | amount_effective | the same of y / m | clusters |
    """

    of: Literal["weighted rewards", "weighted corrections"]
    n: int
    largest: float
    largest_share: float
    effective: float
    index: float
    n_tail: int
    pareto_k: float
    amount_share: float
    amount_effective: float
    amount_index: float
    amount_pareto_k: float

    @property
    def reward_index(self) -> float:
        """The tail index that rewards are answerable for: the lesser of contributions' and amounts'."""
        return _lesser(self.index, self.amount_index)

    @property
    def reward_share(self) -> float:
        """The share of the largest that rewards are answerable for."""
        return min(self.largest_share, self.amount_share)

    @property
    def reward_effective(self) -> float:
        """The effective number of contributions that rewards are answerable for."""
        return max(self.effective, self.amount_effective)

    @property
    def reward_pareto_k(self) -> float:
        """The generalized Pareto index that rewards are answerable for."""
        return _lesser(self.pareto_k, self.amount_pareto_k)

    @property
    def exponential_k(self) -> float:
        """The generalized Pareto index that an exponential tail gets, as `pareto_tail` shrinks it to ½."""
        return PRIOR_WEIGHT * PRIOR_INDEX / (self.n_tail + PRIOR_WEIGHT)

    def exceeds(self, max_index: float, errors: float) -> bool:
        """Return whether the index is above max_index by `errors` standard errors, max_index / √n_tail.

        A price list with gaps, such as 49 and 129, seems heavy by Hill's index, which depends on ratios
        alone. So a generalized Pareto law is fitted too, and must find the tail heavier than an exponential
        one.
        """
        is_high = self.reward_index > max_index * (1 + errors / sqrt(max(self.n_tail, 1)))
        return is_high and self.reward_pareto_k > self.exponential_k

    @property
    def has_no_third_moment(self) -> bool:
        """Whether rewards have a tail for which the ends of an interval are known to be too near."""
        return self.reward_index > NO_THIRD_MOMENT


@dataclass(frozen=True)
class TailDoubt:
    """One reason against a mean of such contributions: a code, the number found and its limit."""

    code: Literal["largest_contribution", "few_contributions", "heavy_tail"]
    found: float
    limit: float


def tail_doubts(
    tail: ContributionTail,
    *,
    max_share: float = MAX_SHARE,
    min_effective: float = MIN_EFFECTIVE,
    max_index: float = NO_VARIANCE,
) -> tuple[TailDoubt, ...]:
    """Return the doubts about a mean of these contributions; empty where there are none.

    largest_contribution: of at least min_effective clusters one holds more than max_share.
    few_contributions: at least min_effective clusters contribute, but as unevenly as fewer equal ones.
    heavy_tail: the index is above max_index by two of the standard errors that it has there (`exceeds`).

    An index that is merely above ½ shows nothing: of 26 orders in the tail one has 0.5 ± 0.1.

    >>> whale = ContributionTail(
    ...     of="weighted rewards",
    ...     n=180,
    ...     largest=86_400.0,
    ...     largest_share=0.92,
    ...     effective=1.2,
    ...     index=0.6,
    ...     n_tail=36,
    ...     pareto_k=0.6,
    ...     amount_share=0.9,
    ...     amount_effective=1.3,
    ...     amount_index=0.6,
    ...     amount_pareto_k=0.6,
    ... )
    >>> [doubt.code for doubt in tail_doubts(whale)]
    ['largest_contribution', 'few_contributions']
    """
    doubts = []
    if tail.reward_share > max_share and tail.n >= min_effective:
        doubts.append(TailDoubt("largest_contribution", tail.largest_share, max_share))
    if tail.n >= min_effective > tail.reward_effective:
        doubts.append(TailDoubt("few_contributions", tail.effective, min_effective))
    if tail.exceeds(max_index, SURELY):
        limit = max_index * (1 + SURELY / sqrt(max(tail.n_tail, 1)))
        doubts.append(TailDoubt("heavy_tail", tail.reward_index, limit))
    return tuple(doubts)


def hill_index(sizes: Floats) -> tuple[float, int]:
    """Return Hill's tail index k of sizes > 0, and the number of sizes that it is computed from.

    k = mean log(x_i / u) over the sizes above u, of which `tail_size` are wanted: the largest 20 %, at
    most 3 √n. Sizes have moments of order below 1 / k only. Log-normal sizes have no such index; theirs falls
    with n, and the largest 20 % of them show about 0.56 σ.

    Where sizes repeat, as counts and prices do, those that tie with the (m + 1)-th largest are left out, and
    u lies halfway between them and the next larger one: counts of 1, 1, 1, 1, 2 would show k = log 2
    otherwise, whatever their bound (Clauset, Shalizi & Newman 2009 take x_min − ½). −∞ where nothing is
    larger or `RECURS` sizes share the largest one, NaN where fewer than five are larger.

    Source: Hill 1975, "A simple general approach to inference about the tail of a distribution".

    >>> k, n_tail = hill_index((np.arange(1, 2001) / 2000) ** -0.6)  # quantiles of a Pareto law with k = 0.6
    >>> round(k, 2), n_tail
    (0.59, 135)
    >>> hill_index(np.repeat([1.0, 2.0, 3.0], [80, 15, 5]))
    (-inf, 0)
    """
    largest = float(sizes.max(initial=0.0))
    if np.count_nonzero(sizes >= largest * (1 - _TIE)) >= RECURS:
        return -inf, 0
    # The one after these is the cutoff itself.
    size = min(max(tail_size(len(sizes)), FEWEST_TO_FIT), len(sizes) - 1)
    if size < FEWEST_TO_FIT:
        return nan, max(size, 0)
    top = np.partition(sizes, len(sizes) - size - 1)[len(sizes) - size - 1 :]
    cutoff = float(top.min())
    above = top[top > cutoff * (1 + _TIE)]
    if len(above) < FEWEST_TO_FIT:
        return (nan if len(above) else -inf), len(above)
    threshold = (cutoff + float(above.min())) / 2
    return float(np.log(above / threshold).mean()), len(above)


def contribution_tail(rounds: EvaluationRounds) -> ContributionTail:
    """Return the tail of the weighted rewards w r, summed by cluster.

    Raises ValueError where there are no rounds.
    """
    return _tail(rounds, rounds.reward, "weighted rewards")


def correction_tail(rounds: EvaluationRounds, of_rewards: ContributionTail) -> ContributionTail | None:
    """Return the tail of the weighted corrections w (r − q), summed by cluster; None without a reward model.

    of_rewards: `contribution_tail` of the same rounds. Hill's index is relative to a threshold, and taking q
    away moves the threshold towards 0 and the index up; amounts left of a click or of none differ by what the
    model says. So rewards are answerable for no more here than in w r: a model can explain a tail away, and
    never make one.
    """
    if rounds.q_logged is None:
        return None
    own = _tail(rounds, rounds.reward - rounds.q_logged, "weighted corrections")
    return replace(
        own,
        index=_lesser(own.index, of_rewards.index),
        amount_index=_lesser(own.amount_index, of_rewards.amount_index),
        pareto_k=_lesser(own.pareto_k, of_rewards.pareto_k),
        amount_pareto_k=_lesser(own.amount_pareto_k, of_rewards.amount_pareto_k),
        amount_share=min(own.amount_share, of_rewards.amount_share),
        amount_effective=max(own.amount_effective, of_rewards.amount_effective),
        n_tail=of_rewards.n_tail,
    )


def rests_on_corrections(estimator: str) -> bool:
    """Return whether the estimator of that name rests on w (r − q).

    >>> rests_on_corrections("switch_dr:3"), rests_on_corrections("snips")
    (True, False)
    """
    return estimator.partition(":")[0] in CORRECTING


def _tail(
    rounds: EvaluationRounds, amount: Floats, of: Literal["weighted rewards", "weighted corrections"]
) -> ContributionTail:
    weight = rounds.weight
    if rounds.n == 0:
        raise ValueError("there are no rounds whose contributions could be assessed: give at least one.")
    cluster = cluster_positions(rounds.cluster)
    earns = (rounds.reward != 0) & (weight > 0)
    n_earning = np.bincount(cluster, earns)
    rewarded = n_earning > 0
    signed = np.bincount(cluster, weight * amount)[rewarded]
    contribution = np.abs(signed)
    # What is left of a small reward is made by the model: where clicks earn a cent beside orders, the sum of
    # what all clicks leave would hide a large order. So the others count by what they earned, at most.
    earned = np.abs(np.bincount(cluster, weight * rounds.reward)[rewarded])
    weight_earning = np.bincount(cluster, weight * earns)[rewarded]
    each, each_earned = contribution / weight_earning, earned / weight_earning
    y, y_earned = each * n_earning[rewarded], each_earned * n_earning[rewarded]
    heard = contribution > 0
    amount_index, _ = hill_index(y[heard])
    # Amounts that end in a cap leave no tail to contributions either; other checks are about weights.
    index, n_tail = (amount_index, 0) if amount_index == -inf else hill_index(contribution[heard])
    return ContributionTail(
        of=of,
        n=len(signed),
        largest=float(signed[np.argmax(contribution)]) if len(signed) else 0.0,
        largest_share=_largest_share(contribution, earned),
        effective=_effective(contribution, earned),
        index=index,
        n_tail=n_tail,
        pareto_k=pareto_k(contribution[heard]),
        amount_share=_largest_share(y, y_earned),
        amount_effective=_effective(each, each_earned),
        amount_index=amount_index,
        amount_pareto_k=pareto_k(y[heard]),
    )


def _lesser(one: float, other: float) -> float:
    """Return the lesser of two indices, NaN where one of them is unknown."""
    return nan if isnan(one) or isnan(other) else min(one, other)


def _others_capped(sizes: Floats, at_most: Floats) -> Floats:
    """Return sizes, all but the largest limited to what they may count."""
    counted = np.minimum(sizes, at_most)
    if len(sizes):
        counted[np.argmax(sizes)] = sizes.max()
    return counted


def _largest_share(sizes: Floats, at_most: Floats) -> float:
    total = float(_others_capped(sizes, at_most).sum())
    return float(sizes.max()) / total if total > 0 else 0.0


def _effective(sizes: Floats, at_most: Floats) -> float:
    """Return the effective number of the sizes, with or without the limits, whichever is less."""
    return min(_kish(sizes), _kish(_others_capped(sizes, at_most)))


def _kish(sizes: Floats) -> float:
    # In units of the largest one, so that squares of large amounts don't overflow.
    scaled = sizes / max(float(sizes.max(initial=0.0)), _SMALLEST)
    squares = float(scaled @ scaled)
    return float(scaled.sum()) ** 2 / squares if squares > 0 else 0.0


_TIE = 1e-9
_SMALLEST = float(np.finfo(np.float64).tiny)
