"""Days that a design needs for a lift, and the smallest lift that it shows in a number of days."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from offline_rl.ope.records import Floats
from offline_rl.power.designs import Design
from offline_rl.power.normal_test import Asked
from offline_rl.power.user_growth import UserGrowth

YEAR = 365
"""Days beyond which no number is given: no shop stays the same for so long."""

Outcome = Literal["days", "beyond_a_year", "never", "impossible"]


@dataclass(frozen=True)
class Traffic:
    """A shop in numbers.

    rate: share of rounds with a reward under today's policy, in (0, 1). rounds_per_day: of all users.
    Raises ValueError for a rate of 0 or 1, which no test can move, and for no rounds.
    """

    rate: float
    rounds_per_day: float
    growth: UserGrowth

    def __post_init__(self) -> None:
        if not 0 < self.rate < 1:
            raise ValueError(f"a rate lies between 0 and 1, and is not {self.rate:g}.")
        if self.rounds_per_day <= 0:
            raise ValueError(f"rounds per day are more than 0, not {self.rounds_per_day:g}.")

    def standard_error(self, design: Design, lift: float, days: ArrayLike) -> Floats:
        """Return the standard error of the difference after each number of days."""
        spread = design.spread(self.rate, lift, self.growth.correlation)
        shared = spread.shared * (self.growth.design_effect(days) - 1)
        rounds = self.rounds_per_day * np.asarray(days, dtype=float)
        return np.asarray(np.sqrt((spread.independent + shared) / rounds))


@dataclass(frozen=True)
class Needed:
    """Days until a lift is shown; None unless the outcome is `days`.

    beyond_a_year: later than that. never: the users who keep coming differ too much among themselves, and
    more days bring no others. impossible: more than all rounds would have to be rewarded.
    """

    outcome: Outcome
    days: int | None = None


def days_needed(design: Design, traffic: Traffic, lift: float, asked: Asked) -> Needed:
    """Return the first day at whose end the asked power is reached.

    A rate of 0.5 and no repeated rounds: 2 · 2.8² · 0.25 / 0.05² = 1,570 rounds an arm for a lift of 10 %.

    >>> from offline_rl.power.designs import TwoArms
    >>> traffic = Traffic(0.5, 100.0, UserGrowth.of_numbers(100, 1, 0.0, None))
    >>> days_needed(TwoArms(0.5), traffic, 0.1, Asked())
    Needed(outcome='days', days=32)
    """
    if lift > design.largest_lift(traffic.rate):
        return Needed("impossible")
    difference = lift * traffic.rate
    days = np.arange(1, YEAR + 1)
    enough = difference >= asked.errors * traffic.standard_error(design, lift, days)
    if enough.any():
        return Needed("days", int(days[np.argmax(enough)]))
    # What is left of the variance after infinitely many days is between the users themselves.
    spread = design.spread(traffic.rate, lift, traffic.growth.correlation)
    left = spread.shared * traffic.growth.slope / traffic.rounds_per_day
    return Needed("beyond_a_year" if difference > asked.errors * np.sqrt(left) else "never")


def smallest_lift(design: Design, traffic: Traffic, days: int, asked: Asked) -> float | None:
    """Return the smallest relative lift that is shown after this many days; None where none is.

    >>> from offline_rl.power.designs import TwoArms
    >>> traffic = Traffic(0.5, 100.0, UserGrowth.of_numbers(100, 1, 0.0, None))
    >>> round(smallest_lift(TwoArms(0.5), traffic, 32, Asked()), 3)
    0.099
    """

    def lacking(lift: float) -> float:
        error = float(traffic.standard_error(design, lift, days))
        return lift * traffic.rate - asked.errors * error

    largest = design.largest_lift(traffic.rate)
    return float(brentq(lacking, 0.0, largest)) if lacking(largest) > 0 else None
