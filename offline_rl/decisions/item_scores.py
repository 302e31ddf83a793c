"""Expected reward of each item in each segment, by a Beta-Binomial model of the logged rounds.

The rates are those of the log as it is, unweighted: a high score says that the item did well where the
logging policy chose to show it (its slots, its users), not that showing it caused the reward.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, betaln

from offline_rl.decisions.credibility import Known
from offline_rl.ope.records import Floats


@dataclass(frozen=True)
class ItemScores:
    """Posterior mean and interval of the reward per round, each float64 [segments, items]."""

    mean: Floats
    lower: Floats
    upper: Floats


@dataclass(frozen=True)
class RewardCounts:
    """Rewarded rounds and all rounds, each float64 [segments, items]; the counts of two logs add."""

    successes: Floats
    trials: Floats

    def __add__(self, other: "RewardCounts") -> "RewardCounts":
        return RewardCounts(self.successes + other.successes, self.trials + other.trials)


def count_rewards(
    segment: NDArray[np.int64], action: NDArray[np.int64], reward: Floats, *, n_segments: int, n_items: int
) -> RewardCounts:
    """Count rounds and rewards per segment and item; `segment`, `action` and `reward` are columns [n].

    Raises ValueError where a reward is neither 0 nor 1: a Beta-Binomial can't hold it.

    >>> rounds = (np.array([0, 0, 1]), np.array([1, 1, 0]), np.array([1.0, 0.0, 1.0]))
    >>> counts = count_rewards(*rounds, n_segments=2, n_items=2)
    >>> counts.successes.tolist(), counts.trials.tolist()
    ([[0.0, 1.0], [1.0, 0.0]], [[0.0, 2.0], [1.0, 0.0]])
    """
    if not bool(np.isin(reward, (0.0, 1.0)).all()):
        raise ValueError(
            "Item scores are rates of 0/1 rewards, and a reward is neither: `money_scores` takes amounts."
        )
    cell = segment * n_items + action
    shape, size = (n_segments, n_items), n_segments * n_items
    successes = np.bincount(cell, weights=reward, minlength=size).astype(np.float64)
    trials = np.bincount(cell, minlength=size).astype(np.float64)
    return RewardCounts(successes.reshape(shape), trials.reshape(shape))


def item_scores(counts: RewardCounts, *, confidence: float = 0.95) -> ItemScores:
    """Return the shrink each segment's rate of an item towards the item's rate in the other segments.

        rate ~ Beta(M m, M (1 - m)),   m (1 - m) / (M + 1) = (d m (1 - m))^2 + var(m)

    s, n: rewards and rounds of the item in the segment. m: the item's rate in the other segments, itself
    shrunk towards the rate of all items in the same way, so that an item without rounds has a score, and
    var(m) how far that is uncertain. The segment's own rounds are left out of m: counted twice, they would
    narrow the interval. d: the deviation of segments, in log-odds, alike for all items; what it may be is
    weighed by the likelihood of all counts (`_weights`) and summed over, because a single best d makes
    intervals that hold the truth three times of four where a cell has one reward.
    Mean and interval are those of the Beta distribution with the mean and variance of this mixture.
    Sources: Kleinman 1973, "Proportions with extraneous variance"; Kass & Steffey 1989 for the uncertainty
    that plugging in leaves out.
    Raises ValueError where confidence is not a share.

    Two items, two segments. Item 0 did the same everywhere, item 1 did not: its interval is the wider.

    >>> counts = RewardCounts(np.array([[30.0, 90.0], [30.0, 10.0]]), np.full((2, 2), 100.0))
    >>> scores = item_scores(counts)
    >>> scores.mean.round(2).tolist()
    [[0.3, 0.85], [0.3, 0.14]]
    """
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence is {confidence:g}: give a share between 0 and 1, such as 0.95.")
    if counts.successes.sum() > counts.trials.sum() / 2:
        # Where most rounds earn, what is missing is counted: 1 - m would cancel.
        missed = item_scores(
            RewardCounts(counts.trials - counts.successes, counts.trials), confidence=confidence
        )
        return ItemScores(1.0 - missed.mean, 1.0 - missed.upper, 1.0 - missed.lower)
    rate = _rates(counts)
    strength = _unimodal(rate.mean * (1.0 - rate.mean) / rate.variance - 1.0, rate.mean)
    alpha, beta = strength * rate.mean, strength * (1.0 - rate.mean)
    tail = (1.0 - confidence) / 2
    return ItemScores(
        mean=rate.mean,
        lower=np.asarray(betaincinv(alpha, beta, tail), np.float64),
        upper=np.asarray(betaincinv(alpha, beta, 1.0 - tail), np.float64),
    )


def rewarded_rates(counts: RewardCounts) -> Known:
    """Return mean and variance of the same rates, without an interval."""
    if counts.successes.sum() > counts.trials.sum() / 2:
        missed = _rates(RewardCounts(counts.trials - counts.successes, counts.trials))
        return Known(1.0 - missed.mean, missed.variance)
    return _rates(counts)


def _rates(counts: RewardCounts) -> Known:
    of_items = RewardCounts(counts.successes.sum(0), counts.trials.sum(0))
    # Half a reward and half a failure keep the rate of a log without any reward above zero.
    rounds = of_items.trials.sum() + 1.0
    overall = (of_items.successes.sum() + 0.5) / rounds
    everywhere = Known(np.full_like(of_items.trials, overall), overall * (1.0 - overall) / (rounds + 1.0))
    elsewhere = RewardCounts(of_items.successes - counts.successes, of_items.trials - counts.trials)
    prior = _posterior(elsewhere, everywhere, _weights(of_items, everywhere))
    return _posterior(counts, prior, _weights(counts, prior))


DEVIATIONS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.4, 1.7, 2.0, 2.5, 3.2, 4.0)
"""Prior standard deviations of rates between segments, in log-odds, equally likely before counts are seen."""

_NEGLIGIBLE = 1e-3
"""Weight of a deviation that is left out."""


def _weights(counts: RewardCounts, prior: Known) -> Floats:
    """Return likelihood of the counts under each of DEVIATIONS, in shares: Beta-Binomial log-likelihoods."""
    shown = counts.trials > 0
    s, n = counts.successes[shown], counts.trials[shown]
    seen = Known(prior.mean[shown], np.broadcast_to(prior.variance, shown.shape)[shown])
    logs = np.zeros(len(DEVIATIONS))
    for place, deviation in enumerate(DEVIATIONS):
        strength = _strength(seen, deviation)
        alpha, beta = strength * seen.mean, strength * (1.0 - seen.mean)
        logs[place] = (betaln(alpha + s, beta + n - s) - betaln(alpha, beta)).sum()
    likely = np.exp(logs - logs.max())
    return np.asarray(likely / likely.sum())


def _posterior(counts: RewardCounts, prior: Known, weights: Floats) -> Known:
    """Return the mean and variance of rates, over all deviations that count."""
    kept = [(deviation, weight) for deviation, weight in zip(DEVIATIONS, weights, strict=True)]
    kept = [(deviation, weight) for deviation, weight in kept if weight > _NEGLIGIBLE]
    weight = np.array([weight for _, weight in kept])
    weight /= weight.sum()
    means, variances = np.empty((2, len(kept), *counts.trials.shape))
    for place, (deviation, _) in enumerate(kept):
        strength = _strength(prior, deviation)
        rounds = strength + counts.trials
        means[place] = (strength * prior.mean + counts.successes) / rounds
        variances[place] = means[place] * (1.0 - means[place]) / (rounds + 1.0)
    mean = np.tensordot(weight, means, 1)
    return Known(mean, np.tensordot(weight, variances + (means - mean) ** 2, 1))


def _strength(prior: Known, deviation: float) -> Floats:
    """Return M, the number of rounds that a prior of this deviation is worth."""
    within = prior.mean * (1.0 - prior.mean)
    variance = (deviation * within) ** 2 + prior.variance
    return _unimodal(within / variance - 1.0, prior.mean)


def _unimodal(strength: Floats, mean: Floats) -> Floats:
    # Below one expected reward and one expected failure a Beta is U-shaped, its mean outside its interval.
    return np.asarray(np.maximum(strength, 1.0 / np.minimum(mean, 1.0 - mean)))
