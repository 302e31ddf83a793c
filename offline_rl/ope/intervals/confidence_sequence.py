"""A confidence sequence: an interval that is valid after every round, however often it is computed."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isinf, log

import numpy as np
from scipy.optimize import brentq, minimize_scalar
from scipy.special import expit, logit, logsumexp

from offline_rl.ope.bootstrap import Interval
from offline_rl.ope.intervals.known_range import KnownRange
from offline_rl.ope.records import EvaluationRounds, Floats

STAKES = 2.0 ** -np.arange(1, 15)
"""Shares of the capital that portfolios bet in each round: whatever the log's length, one of them fits."""
MIXES = expit(np.arange(-6.0, 7.0, 2.0))
"""Splits of a portfolio's stake between two bets, evenly spaced in log odds."""
SHORTLIST_ABOVE = 1024
"""Rounds above which only the portfolios that two moments of the log find best are followed."""
SHORTLISTED = 16
"""Number of portfolios that are followed then, for each end."""
PRECISION = 1e-4
"""Precision of the ends, on the scale of log odds."""


def confidence_sequence(rounds: EvaluationRounds, bounds: KnownRange, confidence: float = 0.95) -> Interval:
    """Return the values v against which no bet on the log wins much, r as a share of its range.

    If the policy is worth v and weights average to 1, then each of these bets returns its stake on average:

        cash = 1,   w r / v,   w (1 − r) / (1 − v),   (max w − w) / (max w − 1),

    and no bet on w and w r that can't lose more than its stake is anything but a mixture of them. A fixed
    portfolio that is rebalanced every round multiplies its capital by a factor of mean 1, and so does the
    average K(v) over a grid of portfolios. By Ville's inequality P(K(v) ≥ 1/δ at any time) ≤ δ: the interval
    {v: K(v) < 1/δ} covers the truth with probability `confidence` at all n together. Compute it as often as
    you like and stop when you like. K is log-convex in v, as 1/v and 1/(1 − v) are, so the set is an
    interval.

    Without a bound on the weights (max_weight = ∞) the last bet is cash again; with one, low weights can be
    bet on, which makes the interval short where rewards are far from 0, as `snips` is. Rounds must be
    independent, or at least no past round may change the mean of the next; their order is irrelevant.

    Raises ValueError where `KnownRange.shares` does. Ends are NaN where every v is refuted, which says that
    weights don't average to 1.
    Source: Waudby-Smith, Wu, Ramdas, Karampatziakis & Mineiro 2022, "Anytime-valid off-policy inference for
    contextual bandits" (the bets w r and w (1 − r), theorem 1 and its mirroring); Karampatziakis, Mineiro &
    Ramdas 2021, "Off-policy confidence sequences" (the bet on w); averaged as in Orabona & Jun 2023.

    >>> each = np.arange(100)
    >>> paid_every_other_time = EvaluationRounds.of_logging_policy(
    ...     reward=each % 2, propensity=np.ones(100), cluster=each, segment=np.zeros_like(each)
    ... )
    >>> interval = confidence_sequence(paid_every_other_time, KnownRange(0, 1, max_weight=2))
    >>> round(interval.lower, 2), round(interval.upper, 2)
    (0.33, 0.67)
    """
    weight, share = bounds.shares(rounds, confidence)
    all_portfolios = portfolios(bounds.max_weight)
    game = _Game(
        weight=weight,
        weighted_reward=weight * share,
        max_weight=bounds.max_weight,
        portfolios=all_portfolios,
        threshold=log(len(all_portfolios) / (1 - confidence)),
    )
    total = float(weight.sum())
    middle = float(np.clip(weight @ share / total, 1e-6, 1 - 1e-6)) if total > 0 else 0.5
    ends = []
    for side in (-1.0, 1.0):
        # To follow fewer portfolios can only make K(v) smaller and the interval wider: no choice of them,
        # though made with the log itself, can break the promise.
        followed = game.shortlisted(middle, side) if rounds.n > SHORTLIST_ABOVE else game
        ends.append(_end(followed.excess, middle, side))
    return bounds.scaled(Interval(ends[0], ends[1]))


def portfolios(max_weight: float) -> Floats:
    """Return the shares of cash, low weights, rewards and lack of rewards in each portfolio, shape [J, 4].

    Directions are the bets themselves and mixtures of two; each with all stakes.
    """
    bets = np.eye(3)
    pairs = [(1, 2)] if isinf(max_weight) or max_weight == 1 else [(1, 2), (0, 1), (0, 2)]
    pure = sorted({place for pair in pairs for place in pair})
    mixed = [mix * bets[i] + (1 - mix) * bets[j] for i, j in pairs for mix in MIXES]
    directions = np.array([*bets[pure], *mixed])
    staked = (STAKES[:, np.newaxis, np.newaxis] * directions).reshape(-1, 3)
    return np.column_stack([1 - staked.sum(axis=1), staked])


def coefficients(portfolios: Floats, max_weight: float, v: float) -> Floats:
    """Return the factor of the capital in one round as a function of 1, w and w r: coefficients [J, 3].

    >>> cash_and_reward = np.array([[0.5, 0.0, 0.5, 0.0]])
    >>> coefficients(cash_and_reward, np.inf, 0.25).tolist()
    [[0.5, 0.0, 2.0]]
    """
    cash, low_weight, reward, lack = portfolios.T
    per_low = 0.0 if isinf(max_weight) or max_weight == 1 else 1 / (max_weight - 1)
    return np.column_stack(
        [
            cash + low_weight * (1 + per_low),
            lack / (1 - v) - low_weight * per_low,
            reward / v - lack / (1 - v),
        ]
    )


@dataclass(frozen=True, eq=False)
class _Game:
    """Portfolios [J, 4] that bet on n rounds.

    threshold: the logarithm of their summed capital from which on a value is refuted.
    """

    weight: Floats
    weighted_reward: Floats
    max_weight: float
    portfolios: Floats
    threshold: float

    def excess(self, v: float) -> float:
        """Return how far the logarithm of the capital is above the threshold: above zero, v is refuted."""
        by_round = coefficients(self.portfolios, self.max_weight, v)
        logs = np.zeros(len(by_round))
        for start in range(0, len(self.weight), _ROUNDS_AT_ONCE):
            span = slice(start, start + _ROUNDS_AT_ONCE)
            w, wr = self.weight[span], self.weighted_reward[span]
            factors = by_round @ np.stack([np.ones_like(w), w, wr])
            # A logarithm costs more than a few products, and eight factors don't overflow.
            whole = len(w) // 8 * 8
            eights = factors[:, :whole].reshape(len(by_round), -1, 8).prod(axis=2)
            logs += np.log(eights).sum(axis=1) + np.log(factors[:, whole:]).sum(axis=1)
        return float(logsumexp(logs)) - self.threshold

    def shortlisted(self, middle: float, side: float) -> "_Game":
        """Return same game followed for the portfolios that gain most at the end on this side of the middle.

        log(1 + z) is close to z − z²/2 where stakes are small, as those that fit a long log are.
        """
        columns = np.stack([np.ones_like(self.weight), self.weight, self.weighted_reward])
        products = columns @ columns.T
        for step in np.geomspace(1e-4, 10, 60):
            v = float(np.clip(expit(logit(middle) + side * step), _LEAST, 1 - _LEAST))
            z = coefficients(self.portfolios, self.max_weight, v) - [1, 0, 0]
            gains = z @ products[0] - ((z @ products) * z).sum(axis=1) / 2
            if logsumexp(gains) > self.threshold:
                break
        return replace(self, portfolios=self.portfolios[np.argsort(gains)[-SHORTLISTED:]])


def _end(excess: Callable[[float], float], middle: float, side: float) -> float:
    """Find where the convex excess crosses zero below (side −1) or above (+1) its least value.

    NaN where it never falls below zero.
    """

    def at(x: float) -> float:
        return excess(float(expit(x)))

    bound, center = side * float(logit(1 - _LEAST)), float(logit(middle))
    if at(center) >= 0:
        center = float(minimize_scalar(at, bounds=(-abs(bound), abs(bound)), method="bounded").x)
        if at(center) >= 0:
            return np.nan
    if at(bound) < 0:
        return (side + 1) / 2
    return float(expit(brentq(at, center, bound, xtol=PRECISION) + side * PRECISION))


_LEAST = 1e-9
_ROUNDS_AT_ONCE = 4096
