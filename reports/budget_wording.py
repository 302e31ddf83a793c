"""Every sentence about the budget, with its caution; the page and the terminal print the same ones.

Numbers arrive as text, already formatted, with their currency.
"""

from collections.abc import Mapping
from datetime import date

from reports.summaries.printed_table import Mark

STATUS: Mapping[str, tuple[Mark, str]] = {
    "moved": (Mark("↔", "good"), "moved"),
    "held": (Mark("=", "even"), "held"),
    "refused": (Mark("✕", "bad"), "refused"),
}
METHODS = {
    "curves": "the curves",
    "same_return": "last week's return",
    "same_revenue": "last week's revenue",
}

TOTALS_HINT = (
    "Totals and channels count all days and are exact in spend. Amounts of a budget line are of a day on "
    "which it spends. Intervals are of the mean of the next seven days; those of totals are of the sums "
    "themselves, not sums of intervals. Refused lines are in the totals and carry no promise of their own."
)
BACKTEST_HINT = (
    "Each week was held out, and predicted from the days before it and from what it spent. The miss per line "
    "adds up what each line was off, in shares of what all earned. Last week's return expects of every unit "
    "of spend what a unit earned in the line's last seven days with spend; last week's revenue expects the "
    "same revenue whatever is spent."
)


def decision(moved: str, current: str, recommended: str, *, n_moved: int, n_lines: int) -> str:
    """Return what happens to the budget."""
    if current == recommended:
        if n_moved == 0:
            return f"No money moves tonight: {current} a day stays as it is."
        return f"Move {moved} a day at the same total of {current}: {_of_lines(n_moved, n_lines, 'changes')}."
    return (
        f"Total spend goes from {current} to {recommended} a day: {_of_lines(n_moved, n_lines, 'changes')}."
    )


def expectation(current: str, expected: str, *, has_moves: bool) -> str:
    """Return expected revenue at today's spend and under the plan, each with its interval."""
    if not has_moves:
        return f"Expected revenue a day: {current}."
    return f"Expected revenue a day: {current} at today's spend, {expected} under the plan."


def gain(amount: str, ends: str, *, has_moves: bool, crosses_zero: bool, same_total: bool) -> str:
    """Return what the plan gains, with its interval."""
    if not has_moves:
        return "No gain is promised."
    reached = "at the same spend" if same_total else "with the change of the total"
    doubt = " The interval contains zero: the gain is not shown." if crosses_zero else ""
    return f"Expected gain {amount} a day ({ends}), {reached}.{doubt}"


def limits(n_at_limit: int, n_lines: int, limit: str) -> str:
    """Return how many lines stop at a limit."""
    if n_at_limit == 0:
        return "No budget line stops at a limit."
    stops = _of_lines(n_at_limit, n_lines, "stops")
    return f"{stops[0].upper()}{stops[1:]} at a limit: {limit} a night, or the highest spend of a logged day."


def refused(n_refused: int, n_lines: int) -> str:
    """Return how many lines have a log too thin to move; "" for none."""
    if n_refused == 0:
        return ""
    verb = "has" if n_lines == 1 else "have"
    return f"{n_refused} of {_lines(n_lines)} {verb} a log too thin to move."


def certificate(gap: str | None, shadow_price: str | None) -> str:
    """Return the optimality certificate and the shadow price in words."""
    sentences = []
    if gap is not None:
        sentences.append(
            "On the fitted curves and within the limits, no allocation earns over "
            f"{gap} more than this one (certified)."
        )
    if shadow_price is not None:
        sentences.append(f"One more unit of total budget would bring about {shadow_price} units of revenue.")
    return " ".join(sentences)


def late(channel: str, until: date, n_days: int) -> str:
    """Return that a channel's log ends before the others'."""
    days = "1 day" if n_days == 1 else f"{n_days} days"
    return (
        f"The log of {channel} ends on {until}, {days} before the others'. These days are not counted as "
        "days without spend: what it spends today is the mean of its own last days."
    )


def last_week(first: date, last: date, predicted: str, earned: str, miss: str) -> str:
    """Return what the curves predicted for the newest held-out week, and what it earned."""
    return f"For {first} to {last} the days before predicted {predicted} a day; it earned {earned} ({miss})."


def backtest(misses: Mapping[str, str], n_weeks: int, *, is_cautious: bool, limit: str) -> str:
    """Return how the curves compare with the plain predictions, and what follows for the plan.

    misses: method → share of the lines' revenue that it missed, as text; empty without a held-out week.
    """
    caution = f"the plan is cautious: no budget line moves by more than {limit}"
    if not misses:
        return f"The log is too short to hold out a week and predict it, so {caution}."
    weeks = "the last week" if n_weeks == 1 else f"the last {n_weeks} weeks"
    rivals = ", ".join(f"{METHODS[name]} {miss}" for name, miss in misses.items() if name != "curves")
    measured = f"Tested on {weeks}, each held out: the curves missed {misses['curves']} of a line's revenue, "
    measured += f"{rivals}."
    if is_cautious:
        return f"{measured} The curves did not predict better than these, so {caution}."
    return measured


def moves_conclusion(gains_most: str, loses_most: str) -> str:
    """Return which lines move most, biggest moves first; empty names where none moves that way."""
    if not gains_most and not loses_most:
        return "No budget line moves: today's spend is kept."
    parts = [f"{gains_most} grows most"] if gains_most else []
    parts += [f"{loses_most} gives up most"] if loses_most else []
    return "; ".join(parts) + "."


def more_lines(n_lines: int) -> str:
    """Return the line that opens the table of smaller moves."""
    return "1 more budget line" if n_lines == 1 else f"{n_lines:,} more budget lines"


def _of_lines(n_some: int, n_lines: int, verb: str) -> str:
    if n_some == 1 and n_lines == 1:
        return f"the only budget line {verb}"
    plural = verb.removesuffix("s") if n_some != 1 else verb
    return f"{n_some:,} of {_lines(n_lines)} {plural}"


def _lines(n_lines: int) -> str:
    return "1 budget line" if n_lines == 1 else f"{n_lines:,} budget lines"
