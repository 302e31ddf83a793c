"""Days of a command line: in one form, in which no reader takes the month for the day."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from cyclopts import Parameter, Token


def _day(_type: object, tokens: Sequence[Token]) -> date:
    """Read a day; the error names the form, because 03.02.2026 is February here and March there."""
    [token] = tokens
    try:
        return date.fromisoformat(token.value)
    except ValueError:
        raise ValueError(
            f"{token.value} is not a day of the form year-month-day. Write a day as 2026-02-03, which is the "
            "third of February."
        ) from None


Day = Annotated[date, Parameter(converter=_day)]
"""An option that is a day."""
