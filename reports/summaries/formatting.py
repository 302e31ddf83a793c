"""Numbers → the text a reader sees: one spelling for counts, shares, money, rewards and intervals."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

# (value, lower, upper) in reward per round
Estimate = tuple[float | None, float | None, float | None]

MISSING = "–"
MINUS = "\N{MINUS SIGN}"

# The smallest share that four decimals of a percentage can print.
SMALLEST_SHARE = 1e-6


def fixed(number: float | None, decimals: int, *, signed: bool = False) -> str:
    """Return the number with that many decimals, commas, and a true minus sign.

    A number that rounds to zero carries no sign.

    >>> fixed(-1234.5, 1), fixed(0.04, 2, signed=True), fixed(-0.001, 2, signed=True), fixed(None, 2)
    ('−1,234.5', '+0.04', '0.00', '–')
    """
    if number is None or not math.isfinite(number):
        return MISSING
    digits = f"{abs(number):,.{decimals}f}"
    if not any(digit in digits for digit in "123456789"):
        return digits
    if number < 0:
        return MINUS + digits
    return "+" + digits if signed else digits


def count(number: int | None) -> str:
    """Return a count with commas.

    >>> count(60000), count(None)
    ('60,000', '–')
    """
    return fixed(number, 0)


def share(number: float | None, *, signed: bool = False) -> str:
    """Return a share as a percentage; small ones keep two digits, and only nothing prints as zero.

    >>> share(0.5), share(0.123), share(0.00042), share(1.0), share(-0.25, signed=True)
    ('50 %', '12 %', '0.042 %', '100 %', '−25 %')
    >>> share(2 / 42_448_764), share(0.0)
    ('< 0.0001 %', '0 %')
    """
    if number is None or not math.isfinite(number):
        return MISSING
    if 0 < number < SMALLEST_SHARE / 2:
        return "< " + share(SMALLEST_SHARE)
    return fixed(100 * number, two_digits(100 * number), signed=signed) + " %"


def ratio(number: float | None) -> str:
    """Return a ratio such as ROAS or a weight with two decimals.

    >>> ratio(2.4071)
    '2.41'
    """
    return fixed(number, 2)


def cents(amount: int | None, *, signed: bool = False) -> str:
    """Return integer cents as units with two decimals; the currency stands in the column's head.

    >>> cents(123450), cents(-5, signed=True)
    ('1,234.50', '−0.05')
    """
    return fixed(None if amount is None else amount / 100, 2, signed=signed)


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

    unit: "%" for rates, the currency for rewards in cents, empty for other numbers.
    """

    unit: str
    factor: float
    decimals: int

    def shown(self, reward: float | None) -> float | None:
        """Return the reward in the unit that is printed; charts draw this."""
        return None if reward is None else reward * self.factor

    def value(self, reward: float | None) -> str:
        """Return one reward with its unit, such as `0.42 %`."""
        return self._with_unit(fixed(self.shown(reward), self.decimals))

    def interval(self, lower: float | None, upper: float | None, *, signed: bool = False) -> str:
        """Return `0.31 to 0.55`, or a dash where an end is missing."""
        if lower is None or upper is None:
            return MISSING
        ends = (fixed(self.shown(end), self.decimals, signed=signed) for end in (lower, upper))
        return " to ".join(ends)

    def estimate(self, value: float | None, lower: float | None, upper: float | None) -> str:
        """Return value and interval.

        >>> RewardFormat("%", 100, 2).estimate(0.0042, 0.0031, 0.0055)
        '0.42 % (0.31 to 0.55)'
        """
        if value is None:
            return MISSING
        return f"{self.value(value)} ({self.interval(lower, upper)})"

    def difference(self, difference: float | None, lower: float | None, upper: float | None) -> str:
        """Return a signed difference and its interval; rates differ by percentage points (pp).

        >>> RewardFormat("%", 100, 2).difference(0.0011, -0.0002, 0.0024)
        '+0.11 pp (−0.02 to +0.24)'
        """
        if difference is None:
            return MISSING
        return f"{self.change(difference)} ({self.interval(lower, upper, signed=True)})"

    def change(self, difference: float | None) -> str:
        """Return a signed difference without an interval.

        >>> RewardFormat("%", 100, 2).change(0.0011)
        '+0.11 pp'
        """
        if difference is None:
            return MISSING
        unit = "pp" if self.unit == "%" else self.unit
        return f"{fixed(self.shown(difference), self.decimals, signed=True)} {unit}".rstrip()

    def resized(self, estimates: Sequence[Estimate]) -> "RewardFormat":
        """Return the same unit with the decimals that these estimates need.

        One decimal more where an end would print as zero without being zero: it may decide a verdict.

        >>> RewardFormat("%", 100, 2).resized([(0.02, 0.0003, 0.04)]).interval(0.0003, 0.04)
        '0.03 to 4.00'
        """
        fitted = replace(self, decimals=decimals_for(estimates, self.factor))
        ends = [abs(end * self.factor) for _, *pair in estimates for end in pair if end]
        is_hidden = any(end < 0.5 * 10**-fitted.decimals <= 10 * end for end in ends)
        return replace(fitted, decimals=min(4, fitted.decimals + is_hidden))

    def _with_unit(self, number: str) -> str:
        return f"{number} {self.unit}" if self.unit and number != MISSING else number


def reward_format(estimates: Sequence[Estimate], *, reward: str, currency: str) -> RewardFormat:
    """Return the format for rewards of this name and size.

    A reward whose name ends in `_cents` is money; rewards within -1..1 are rates; the rest are plain numbers.

    >>> reward_format([(0.0042, 0.0031, 0.0055)], reward="click", currency="")
    RewardFormat(unit='%', factor=100.0, decimals=2)
    """
    numbers = [abs(number) for estimate in estimates for number in estimate if number is not None]
    if reward.endswith("_cents"):
        unit, factor = currency, 0.01
    elif numbers and max(numbers) <= 1:
        unit, factor = "%", 100.0
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
