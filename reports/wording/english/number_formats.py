"""How English writes numbers, money and dates."""

from datetime import date, datetime

from reports.wording.number_formats import Numbers


def _day(day: date) -> str:
    """Return a day in the one order that no reader takes for another."""
    return f"{day:%Y-%m-%d}"


def _minute(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M}"


NUMBERS = Numbers(
    thousands=",",
    decimal=".",
    minus="\N{MINUS SIGN}",
    plus="+",
    missing="–",
    percent="{number} %",
    percent_sign="%",
    points="{number} pp",
    level="{number}%",
    money="{amount} {currency}",
    interval="{lower} to {upper}",
    estimate="{value} ({interval})",
    below="< {limit}",
    above="above {limit}",
    day=_day,
    minute=_minute,
)
