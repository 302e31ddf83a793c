"""The time format of a column: the pattern that fits all values, and the decision where two patterns fit."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Literal

from features.contracts.check import PLAIN_DAY, ZONED_TIME
from features.sources.local_time import EXCEL_DAYS, NAIVE_TIME

Decision = Literal["only one fits", "future", "line order", "neighbors", "undecided"]

_DAYS = (
    *(
        "%Y-%m-%d",
        "%d.%m.%Y",
        "%d/%m/%Y",
        "%m/%d/%Y",
        "%d-%m-%Y",
        "%m-%d-%Y",
        "%m.%d.%Y",
        "%Y/%m/%d",
        "%Y.%m.%d",
    ),
    *("%Y%m%d", "%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%m-%d-%y", "%Y年%m月%d日"),
    *("%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d %Y", "%a, %d %b %Y"),
)
_CLOCKS = (
    *("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%H:%M:%S,%f", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p", "%I:%M:%S%p"),
    "%I:%M:%S.%f %p",
)
_JOINTS = (" ", "T", ", ", "  ")
# 2001 to 2286, in seconds and finer; shorter numbers are more likely ids.
_EPOCH_DIGITS = {10: "epoch_s", 13: "epoch_ms", 16: "epoch_us"}

_DIRECTIVES = {
    "%Y": r"\d{4}",
    "%y": r"\d{2}(?!\d)",
    **dict.fromkeys(("%m", "%d", "%H", "%M", "%S", "%I"), r"\d{1,2}"),
    "%f": r"\d{1,6}",
    "%p": r"[AaPp][Mm]",
    **dict.fromkeys(("%b", "%B", "%a"), r"[A-Za-z]+"),
}

# Enough lines to use their order, and the factor by which neighbors must be nearer in one order.
_LEAST_STEPS, _NEARER = 30, 4.0


@dataclass(frozen=True)
class TimeForm:
    """A time format.

    kind: `zoned` and `naive` for ISO times, `day` for ISO days, `pattern`, `epoch` and `excel_days` for
    others. pattern: as in `time_format`; empty for ISO. other: the second pattern that fits too.
    decision: why it is the first and not the other.
    """

    kind: Literal["zoned", "naive", "day", "pattern", "epoch", "excel_days"]
    pattern: str = ""
    other: str = ""
    decision: Decision = "only one fits"

    @property
    def is_day(self) -> bool:
        """Whether a value is a day without a time of day."""
        return self.kind == "day" or (self.kind == "pattern" and not re.search("%[HIMSf]", self.pattern))

    @property
    def needs_zone(self) -> bool:
        """Whether it is a time only together with a time zone."""
        return self.kind in {"naive", "pattern", "excel_days", "day"}


def time_form(values: Sequence[str], written_at: datetime | None = None) -> TimeForm | None:
    """Return the time format of the values; None where they are not times.

    written_at: when the file was written, in UTC: nothing in it is later by more than a day. None where that
        is not known.

    >>> time_form(["1569888000025", "1569888000100"]).pattern
    'epoch_ms'
    >>> time_form(["12/24/2010 8:26"]).pattern
    '%m/%d/%Y %H:%M'
    """
    if not values:
        return None
    for kind, pattern in (("zoned", ZONED_TIME), ("naive", NAIVE_TIME), ("day", PLAIN_DAY)):
        if all(re.match(pattern, value.replace(",", ".")) for value in values):
            return TimeForm(kind)  # type: ignore[arg-type]  # the three of them are kinds
    return _counted(values) or _patterned(values, written_at)


def _counted(values: Sequence[str]) -> TimeForm | None:
    if not all(re.fullmatch(r"\d+([.,]\d+)?", value) for value in values):
        return None
    wholes = {re.split("[.,]", value)[0] for value in values}
    lengths = set(map(len, wholes))
    if len(lengths) == 1 and (length := lengths.pop()) in _EPOCH_DIGITS:
        return TimeForm("epoch", _EPOCH_DIGITS[length])
    # 2000 to 2079. Whole numbers of five digits are ids as often as days.
    has_time_of_day = any(len(value) > 6 for value in values)
    if has_time_of_day and all(len(whole) == 5 and 36526 <= int(whole) <= 65745 for whole in wholes):
        return TimeForm("excel_days", EXCEL_DAYS)
    return None


def _patterned(values: Sequence[str], written_at: datetime | None) -> TimeForm | None:
    fits = [
        (pattern, times)
        for pattern in _patterns(values[0])
        if (times := _parsed(values, pattern)) is not None
    ]
    if not fits:
        return None
    first, times = fits[0]
    swapped = _swapped(first)
    second = next((found for pattern, found in fits[1:] if pattern == swapped), None)
    if second is None or second == times:
        return TimeForm("pattern", first)
    decision, is_first = _decided(times, second, written_at)
    chosen, other = (first, swapped) if is_first else (swapped, first)
    return TimeForm("pattern", chosen, other, decision)


def _patterns(example: str) -> list[str]:
    """Return the patterns that may fit one value, those with the day first before the others."""
    if len(example) > 40:
        return []
    found = []
    for day in _DAYS:
        if not (date := _looks(day).match(example)):
            continue
        rest = example[date.end() :]
        if not rest:
            found.append(day)
        for joint in _JOINTS:
            if rest.startswith(joint):
                clocks = (clock for clock in _CLOCKS if _looks(clock).fullmatch(rest[len(joint) :]))
                found += [f"{day}{joint}{clock}" for clock in clocks]
    return found


@cache
def _looks(pattern: str) -> re.Pattern[str]:
    """Return the regular expression of a pattern; that of strptime is slow to build."""
    parts = re.split(r"(%[a-zA-Z])", pattern)
    return re.compile("".join(_DIRECTIVES.get(part, re.escape(part)) for part in parts))


def _parsed(values: Sequence[str], pattern: str) -> list[datetime] | None:
    try:
        times = [datetime.strptime(value, pattern) for value in values]  # noqa: DTZ007, only the form is asked for
    except ValueError:
        return None
    return times if all(1900 <= time.year < 2200 for time in times) else None


def _swapped(pattern: str) -> str:
    """Return the pattern with day and month changed.

    >>> _swapped("%d/%m/%Y %H:%M")
    '%m/%d/%Y %H:%M'
    """
    return pattern.replace("%d", "\0").replace("%m", "%d").replace("\0", "%m")


def _decided(
    first: Sequence[datetime], second: Sequence[datetime], written_at: datetime | None
) -> tuple[Decision, bool]:
    """Return the evidence for one of two formats, and whether that is the first."""
    last = written_at + timedelta(days=1) if written_at else datetime.max  # noqa: DTZ901, a wall time
    late = [any(time > last for time in times) for times in (first, second)]
    if late[0] != late[1]:
        return "future", late[1]
    back = [_steps_back(times) for times in (first, second)]
    if min(back) * 2 <= max(back) and max(back) > 0 and len(first) >= 3:
        return "line order", back[0] < back[1]
    ways = [_way(times) for times in (first, second)]
    if len(first) > _LEAST_STEPS and min(ways) * _NEARER <= max(ways):
        return "neighbors", ways[0] < ways[1]
    return "undecided", True


def _steps_back(times: Sequence[datetime]) -> int:
    """Count the lines that are earlier than the line before them, or later, whichever are fewer."""
    steps = [(after > before) - (after < before) for before, after in pairwise(times)]
    return min(steps.count(1), steps.count(-1))


def _way(times: Sequence[datetime]) -> float:
    """Return the days from line to line, there and back, all together."""
    return sum(abs((after - before).total_seconds()) for before, after in pairwise(times)) / 86400
