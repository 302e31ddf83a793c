"""How rewards of a domain are written: their unit, and how many decimals an interval needs.

The signs are a language's: `reports/wording/number_formats.py` makes the text.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from features.rewards import is_money

# (value, lower, upper) in reward per round
Estimate = tuple[float | None, float | None, float | None]

RATE = "%"
"""The unit of rewards that are rates."""


def two_digits(number: float) -> int:
    """Return how many decimals show two digits of the number: none for 12 and above, at most four.

    >>> [two_digits(number) for number in (123.0, 12.0, 1.2, 0.12, 0.000001, 0.0)]
    [0, 0, 1, 2, 4, 0]
    """
    if number == 0:
        return 0
    return min(4, max(0, 1 - math.floor(math.log10(abs(number)))))


@dataclass(frozen=True)
class RewardFormat:
    """How rewards of one domain are written: unit, factor onto that unit, decimals.

    unit: RATE for rates, the currency for money, empty for other numbers.
    """

    unit: str
    factor: float
    decimals: int

    def shown(self, reward: float | None) -> float | None:
        """Return the reward in the unit that is printed; charts draw this."""
        return None if reward is None else reward * self.factor

    def resized(self, estimates: Sequence[Estimate]) -> "RewardFormat":
        """Return the same unit with the decimals that these estimates need.

        One decimal more where an end would print as zero without being zero: it may decide a verdict.

        >>> RewardFormat("%", 100, 1).resized([(0.02, 0.0003, 0.04)])
        RewardFormat(unit='%', factor=100, decimals=2)
        """
        fitted = replace(self, decimals=decimals_for(estimates, self.factor))
        ends = [abs(end * self.factor) for _, *pair in estimates for end in pair if end]
        is_hidden = any(end < 0.5 * 10**-fitted.decimals <= 10 * end for end in ends)
        return replace(fitted, decimals=min(4, fitted.decimals + is_hidden))


def reward_format(estimates: Sequence[Estimate], *, reward: str, currency: str) -> RewardFormat:
    """Return the format for rewards of this name and size.

    Other rewards than money are rates where they lie within -1..1, and else plain numbers.

    >>> reward_format([(0.0042, 0.0031, 0.0055)], reward="click", currency="")
    RewardFormat(unit='%', factor=100.0, decimals=2)
    """
    numbers = [abs(number) for estimate in estimates for number in estimate if number is not None]
    if is_money(reward):
        unit, factor = currency, 1.0
    elif numbers and max(numbers) <= 1:
        unit, factor = RATE, 100.0
    else:
        unit, factor = "", 1.0
    return RewardFormat(unit, factor, decimals_for(estimates, factor))


def decimals_for(estimates: Sequence[Estimate], factor: float) -> int:
    """Return the decimals that show two digits of a typical interval's half width, or of the values.

    >>> decimals_for([(0.0042, 0.0031, 0.0055)], 100.0)
    2
    """
    half_widths = [
        (upper - lower) / 2 for _, lower, upper in estimates if lower is not None and upper is not None
    ]
    sizes = [width for width in half_widths if width > 0] or [
        abs(value) for value, _, _ in estimates if value is not None and value != 0
    ]
    return two_digits(median(sizes) * factor) if sizes else 2
