"""Numbers → the text a reader sees, in one spelling for counts, shares, money, rewards and intervals.

How many digits are shown is decided here, alike for all languages; the signs and the order are those of a
language, which holds one `Numbers`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from reports.summaries.formatting import RATE, RewardFormat, two_digits

SMALLEST_SHARE = 1e-6
"""The smallest share that four decimals of a percentage can print."""


@dataclass(frozen=True)
class Numbers:
    """The signs of one language. Fields with names in braces are templates.

    thousands, decimal: separators. missing: what stands for a number that is not known. percent, points:
    `{number}` as a percentage and as a difference of two; percent_sign: the unit by itself. level: of
    confidence. money: `{amount}` and `{currency}`. interval: `{lower}` and `{upper}`. estimate: `{value}` and
    its `{interval}`. below, above: a `{limit}`. day, minute: a date, and a time without seconds.
    """

    thousands: str
    decimal: str
    minus: str
    plus: str
    missing: str
    percent: str
    percent_sign: str
    points: str
    level: str
    money: str
    interval: str
    estimate: str
    below: str
    above: str
    day: Callable[[date], str]
    minute: Callable[[datetime], str]

    def fixed(self, number: float | None, decimals: int, *, signed: bool = False) -> str:
        """Return the number with that many decimals; one that rounds to zero carries no sign."""
        if number is None or not math.isfinite(number):
            return self.missing
        digits = self._with_separators(f"{abs(number):,.{decimals}f}")
        if not any(digit in digits for digit in "123456789"):
            return digits
        if number < 0:
            return self.minus + digits
        return self.plus + digits if signed else digits

    def count(self, number: int | None) -> str:
        """Return a count."""
        return self.fixed(number, 0)

    def plain(self, number: float, digits: int = 6) -> str:
        """Return a setting or a bound with the digits that it needs, at most this many."""
        return f"{number:.{digits}g}".replace(".", self.decimal)

    def sized(self, number: float) -> str:
        """Return a number of any size with two digits at least."""
        return self.fixed(number, two_digits(number))

    def ratio(self, number: float | None) -> str:
        """Return a ratio such as ROAS or a weight with two decimals."""
        return self.fixed(number, 2)

    def share(self, number: float | None, *, signed: bool = False) -> str:
        """Return a share as a percentage; small ones keep two digits, and only nothing prints as zero."""
        if number is None or not math.isfinite(number):
            return self.missing
        if 0 < number < SMALLEST_SHARE / 2:
            return self.below.format(limit=self.share(SMALLEST_SHARE))
        return self.percent.format(number=self.fixed(100 * number, two_digits(100 * number), signed=signed))

    def percentage(self, number: float) -> str:
        """Return a share as a percentage with one decimal, and none where that would be zero."""
        decimals = 0 if f"{100 * number:.1f}".endswith(".0") else 1
        return self.percent.format(number=self.fixed(100 * number, decimals))

    def confidence(self, number: float) -> str:
        """Return the confidence of an interval."""
        return self.level.format(number=self.plain(100 * number))

    def cents(self, amount: int | None, decimals: int = 2, *, signed: bool = False) -> str:
        """Return integer cents as units; where the currency is not in a column's head, `money` adds it."""
        return self.fixed(None if amount is None else amount / 100, decimals, signed=signed)

    def with_currency(self, amount: str, currency: str) -> str:
        """Return a written amount with its currency, where that is known."""
        return self.money.format(amount=amount, currency=currency) if currency else amount

    def between(self, lower: str, upper: str) -> str:
        """Return both ends of an interval that are already written."""
        return self.interval.format(lower=lower, upper=upper)

    def with_interval(self, value: str, interval: str) -> str:
        """Return a written value with its interval."""
        return self.estimate.format(value=value, interval=interval)

    def reward(self, written: RewardFormat, reward: float | None) -> str:
        """Return one reward with its unit."""
        number = self.fixed(written.shown(reward), written.decimals)
        if number == self.missing:
            return number
        if written.unit == RATE:
            return self.percent.format(number=number)
        return self.with_currency(number, written.unit)

    def reward_interval(
        self, written: RewardFormat, lower: float | None, upper: float | None, *, signed: bool = False
    ) -> str:
        """Return the ends of an interval without their unit, or a dash where an end is not known."""
        if lower is None or upper is None:
            return self.missing
        ends = (self.fixed(written.shown(end), written.decimals, signed=signed) for end in (lower, upper))
        return self.between(*ends)

    def reward_estimate(
        self, written: RewardFormat, value: float | None, lower: float | None, upper: float | None
    ) -> str:
        """Return a reward and its interval."""
        if value is None:
            return self.missing
        return self.with_interval(self.reward(written, value), self.reward_interval(written, lower, upper))

    def reward_difference(
        self, written: RewardFormat, difference: float | None, lower: float | None, upper: float | None
    ) -> str:
        """Return a signed difference and its interval."""
        if difference is None:
            return self.missing
        ends = self.reward_interval(written, lower, upper, signed=True)
        return self.with_interval(self.reward_change(written, difference), ends)

    def reward_change(self, written: RewardFormat, difference: float | None) -> str:
        """Return a signed difference without an interval; rates differ by percentage points."""
        if difference is None:
            return self.missing
        number = self.fixed(written.shown(difference), written.decimals, signed=True)
        if written.unit == RATE:
            return self.points.format(number=number)
        return self.with_currency(number, written.unit)

    def _with_separators(self, digits: str) -> str:
        whole, point, rest = digits.partition(".")
        return whole.replace(",", self.thousands) + (self.decimal if point else "") + rest
