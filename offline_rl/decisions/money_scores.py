"""Expected money of each item in each segment: how often a round earns, times what such a round earns.

    score = rate * amount

The rate of rounds with a reward other than 0 is that of `item_scores` (Beta-Binomial). The amount of such a
round is shrunk by Bühlmann-Straub credibility in two steps: the item's towards that of all items, and the
segment's towards the item's in the other segments. Like rates, scores are those of the log as it is,
unweighted.
Sources: Klugman, Panjer & Willmot 2012, "Loss Models", chapters 9 and 18, for rate and amount apart; Jewell
1975, "The use of collateral data in credibility theory", for the two steps.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv, ndtri

from offline_rl.decisions.credibility import Known, between_variance, collective, credible
from offline_rl.decisions.item_scores import ItemScores, RewardCounts, rewarded_rates
from offline_rl.ope.records import Floats


@dataclass(frozen=True)
class Amounts:
    """Rewarded and all rounds, the sum of rewards and that of their squares, each float64 [segments, items].

    may_be_negative: whether any round lost money.
    """

    counts: RewardCounts
    total: Floats
    squares: Floats
    may_be_negative: bool


def count_amounts(
    segment: NDArray[np.int64], action: NDArray[np.int64], reward: Floats, *, n_segments: int, n_items: int
) -> Amounts:
    """Add up rewards per segment and item; `segment`, `action` and `reward` are columns [n].

    >>> rounds = (np.array([0, 0, 1]), np.array([1, 1, 0]), np.array([20.0, 0.0, 5.0]))
    >>> amounts = count_amounts(*rounds, n_segments=2, n_items=2)
    >>> amounts.total.tolist(), amounts.counts.successes.tolist()
    ([[0.0, 20.0], [5.0, 0.0]], [[0.0, 1.0], [1.0, 0.0]])
    """
    cell, size = segment * n_items + action, n_segments * n_items

    def added(values: Floats | None) -> Floats:
        sums = np.bincount(cell, weights=values, minlength=size).astype(np.float64)
        return sums.reshape(n_segments, n_items)

    return Amounts(
        counts=RewardCounts(added((reward != 0).astype(np.float64)), added(None)),
        total=added(reward),
        squares=added(reward**2),
        may_be_negative=bool((reward < 0).any()),
    )


def money_scores(amounts: Amounts, *, confidence: float = 0.95) -> ItemScores:
    """Return the expected reward of a round and its interval, in the unit of the rewards.

    Rate p and amount m are taken as independent: the mean is p m, and the variance
    p^2 Var(m) + m^2 Var(p) + Var(p) Var(m). The interval is that of the gamma distribution of these moments,
    which is skewed as money is and never negative; where rounds lose money, that of the normal one. A gamma
    that is worth less than one reward soon has its mean outside of its interval, so its shape is 1 at least.
    Raises ValueError where confidence is not a share.

    One item, one segment: 20 of 1,000 rounds earned 10 each.

    >>> one = np.ones((1, 1))
    >>> amounts = Amounts(RewardCounts(20 * one, 1000 * one), 200 * one, 2000 * one, may_be_negative=False)
    >>> scores = money_scores(amounts)
    >>> round(scores.mean.item(), 2), round(scores.lower.item(), 2), round(scores.upper.item(), 2)
    (0.2, 0.13, 0.29)
    """
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence is {confidence:g}: give a share between 0 and 1, such as 0.95.")
    rate, amount = rewarded_rates(amounts.counts), amount_of_a_reward(amounts)
    mean = rate.mean * amount.mean
    variance = (rate.mean**2 + rate.variance) * amount.variance + amount.mean**2 * rate.variance
    tail = (1.0 - confidence) / 2
    if amounts.may_be_negative:
        reach = float(ndtri(1.0 - tail)) * np.sqrt(variance)
        return ItemScores(mean, mean - reach, mean + reach)
    shape = np.maximum(np.divide(mean**2, variance, out=np.ones_like(mean), where=variance > 0), 1.0)
    lower, upper = (mean * np.asarray(gammaincinv(shape, end) / shape) for end in (tail, 1.0 - tail))
    return ItemScores(mean, lower, upper)


def amount_of_a_reward(amounts: Amounts) -> Known:
    """Return the mean reward of a rewarded round of each item in each segment, and its variance.

    Amounts are divided by the root mean square of the item's own, to which one round of all items is added: a
    price of 200 varies more than one of 5, in proportion. What is left of an item's variance is drawn towards
    that of all items, so that an item with one huge order is not taken for one with steady prices.
    The segment's own rounds are left out of its prior, as in `item_scores`. Zeros for a log without a reward.
    """
    n, n_items = amounts.counts.successes, amounts.counts.successes.sum(0)
    if not n_items.sum():
        return Known(np.zeros(n.shape), np.zeros(n.shape))
    usual = amounts.squares.sum() / n_items.sum()
    scale = np.sqrt((amounts.squares.sum(0) + usual) / (n_items + 1.0))
    total, squares = amounts.total / scale, amounts.squares / scale**2
    within = _within(n, total, squares)
    item = _means(total.sum(0), n_items)
    between_items = between_variance(n_items[:, None], item[:, None], float(within.mean()))
    between_segments = between_variance(n, _means(total, n), within)

    seen = n_items > 0
    everyone = collective(n_items[seen], item[seen], between=between_items, within=within[seen])
    prior = Known(everyone.mean, everyone.variance + between_items)
    elsewhere = n_items - n
    of_item = credible(elsewhere, _means(total.sum(0) - total, elsewhere), prior, within)
    found = credible(n, _means(total, n), Known(of_item.mean, of_item.variance + between_segments), within)
    return Known(found.mean * scale, found.variance * scale**2)


def _means(total: Floats, n: Floats) -> Floats:
    return np.asarray(total / np.maximum(n, 1.0))


VARIANCE_PRIOR = 10.0
"""Rewarded rounds that the variance of all items counts for beside an item's own."""


def _within(n: Floats, total: Floats, squares: Floats) -> Floats:
    """Return the variance of one rewarded round of each item in its cell, drawn towards that of all items.

    s_i^2 = (d_i own_i + d_0 all) / (d_i + d_0), with d degrees of freedom (Smyth 2004, "Linear models and
    empirical Bayes methods", with d_0 given). Where no cell has two rewarded rounds, that of all is taken in
    items, and where no item has two, it is 1: amounts as far apart as they are large.
    """
    degrees, deviations = _deviations(n, total, squares)
    of_all = degrees.sum(), deviations.sum()
    if of_all[0] == 0:
        of_all = tuple(part.sum() for part in _deviations(n.sum(0), total.sum(0), squares.sum(0)))
    usual = max(0.0, float(of_all[1] / of_all[0])) if of_all[0] else 1.0
    own = np.maximum(deviations.sum(0), 0.0)
    return np.asarray((own + VARIANCE_PRIOR * usual) / (degrees.sum(0) + VARIANCE_PRIOR))


def _deviations(n: Floats, total: Floats, squares: Floats) -> tuple[Floats, Floats]:
    """Return degrees of freedom and squared deviations from the mean of each group."""
    return np.maximum(n - 1.0, 0.0), squares - total * _means(total, n)
