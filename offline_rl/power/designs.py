"""Designs: ways to learn whether a candidate earns more, each with the variance of the difference it shows.

Rewards are 0 or 1; r is one round's, p the share of rounds with a reward under the policy that serves today,
δ = lift · p the true difference, and e = r − V the residual of a ratio of sums.
"""

from dataclasses import dataclass
from typing import Protocol

from offline_rl.power.slate_exploration import PairedWeights


@dataclass(frozen=True)
class Spread:
    """Variance of an estimated difference: (independent + shared · (design effect − 1)) / rounds.

    independent: of one round alone. shared: sum over pairs of a user's rounds, where the design effect says
    how many pairs there are.
    """

    independent: float
    shared: float


class Design(Protocol):
    """One way to compare a candidate with the policy that serves today."""

    def largest_lift(self, rate: float) -> float:
        """Return the relative lift at which all rounds of the candidate that differ are rewarded."""
        ...

    def spread(self, rate: float, lift: float, correlation: float) -> Spread:
        """Return the variance at a relative lift; correlation: of two rounds of a user on one day."""
        ...


@dataclass(frozen=True)
class TwoArms:
    """An experiment: a share s of the users gets the candidate, the others keep today's policy.

    Var = deff · (p₁ (1 − p₁) / s + p (1 − p) / (1 − s)) / rounds, with p₁ = p + δ: the two-sample formula
    (Kohavi, Tang & Xu 2020, chapter 17) with users as clusters. Raises ValueError unless 0 < s < 1.

    Half the rounds at a rate of a half, no lift: 0.25 / 0.5 twice.

    >>> TwoArms(0.5).spread(0.5, 0.0, correlation=0.0)
    Spread(independent=1.0, shared=1.0)
    """

    share: float

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise ValueError(f"a share of the users lies between 0 and 1, and is not {self.share:g}.")

    def largest_lift(self, rate: float) -> float:
        """Return the relative lift at which every round is rewarded."""
        return (1 - rate) / rate

    def spread(self, rate: float, lift: float, correlation: float) -> Spread:  # noqa: ARG002
        """Return the variance at a relative lift; users are what is drawn, so both parts are alike."""
        raised = rate * (1 + lift)
        of_one = raised * (1 - raised) / self.share + rate * (1 - rate) / (1 - self.share)
        return Spread(of_one, of_one)


@dataclass(frozen=True)
class OffPolicy:
    """The candidate never serves: SNIPS estimates it from the log, less SNIPS of today's policy, in pairs.

    weights: second moments of both policies' weights in a round where they differ. differs: share d of those
    rounds; in all others both show the same. slots: L of a slate.

    In a round where they differ, the candidate earns p + δ/d. With V_c = p + δ and V_s = p the linearized
    difference of a round is D = w_c (r − V_c) − w_s (r − V_s), with mean zero, and

        E[D²] = d (E[w_c²] (q (1 − q) + (q − V_c)²) + E[w_s²] p (1 − p)
                   − 2 E[w_c w_s] (q (1 − q) + (q − V_c)(q − p))) + (1 − d) E[w_s²] δ²,  q = p + δ/d.

    Two rounds of a user in different slates are explored independently, and E[w] = 1: weights inflate the
    variance of a round, and not the covariance of two. With tastes for the candidate's items and for those of
    today that have nothing to do with each other, that covariance is twice that of the rewards, and none is
    larger where tastes don't oppose each other. Slots of one slate are explored together: their covariance is
    larger by `weights.of_slate`. Raises ValueError unless 0 < d <= 1.

    By hand, A = 4 items and half of all slates explored: E[w_c²] = 8, E[w_s²] = 1.6, p (1 − p) = 0.25.

    >>> from offline_rl.power.slate_exploration import explored_weights
    >>> OffPolicy(explored_weights(0.5, 4)).spread(0.5, 0.0, correlation=0.0)
    Spread(independent=2.4, shared=0.5)
    """

    weights: PairedWeights
    differs: float = 1.0
    slots: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.differs <= 1:
            raise ValueError(f"a share of the rounds lies above 0 and up to 1, and is not {self.differs:g}.")

    def largest_lift(self, rate: float) -> float:
        """Return the relative lift at which every round that differs is rewarded."""
        return self.differs * (1 - rate) / rate

    def spread(self, rate: float, lift: float, correlation: float) -> Spread:
        """Return the variance at a relative lift."""
        d, difference = self.differs, rate * lift
        raised = rate + difference / d
        noise, off = raised * (1 - raised), raised - rate - difference
        of_today = rate * (1 - rate)
        differing = (
            self.weights.candidate * (noise + off**2)
            + self.weights.today * of_today
            - 2 * self.weights.both * (noise + off * (raised - rate))
            + (self.slots - 1) * self.weights.of_slate * correlation * of_today
        )
        agreeing = self.weights.today * difference**2
        return Spread(d * differing + (1 - d) * agreeing, 2 * d**2 * of_today)

    def effective_rounds(self, rounds: float) -> float:
        """Return what the log is worth to the candidate: rounds · E[w]² / E[w²], Kish's effective size.

        >>> from offline_rl.power.slate_exploration import explored_weights
        >>> OffPolicy(explored_weights(0.1, 10)).effective_rounds(1000)
        10.0
        """
        return rounds / (self.differs * self.weights.candidate + (1 - self.differs) * self.weights.today)
