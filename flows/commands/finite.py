"""Numbers of a command line: `nan` and `inf` are numbers to Python, and no answer to any question here."""

from math import isfinite
from typing import Annotated

from cyclopts import Parameter


def _refuse_infinite(_type: object, value: object) -> None:
    """Refuse a number, or one of several, that is not finite: comparisons with nan are all false."""
    for number in value if isinstance(value, tuple) else (value,):
        if isinstance(number, float) and not isfinite(number):
            raise ValueError(f"{number} is not a number to reckon with. Write digits, such as 0.05.")


Finite = Annotated[float, Parameter(validator=_refuse_infinite)]
"""An option that is a finite number."""

FiniteRange = Annotated[tuple[float, float], Parameter(negative="", validator=_refuse_infinite)]
"""An option that is two finite numbers, the smallest and the largest."""

Shares = Annotated[
    tuple[float, ...], Parameter(consume_multiple=True, negative="", validator=_refuse_infinite)
]
"""An option that is one or more finite numbers."""
