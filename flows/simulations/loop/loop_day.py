"""A day of a closed loop: a line of its ledger."""

from dataclasses import dataclass

FIRST_DAYS = 14
"""Days that the first policies of a shop serve before its first night."""


@dataclass(frozen=True)
class Said:
    """What a night said.

    policy_version: what serves most users. estimate, lower, upper, truth: of the verdict's champion on the
    night's holdout, None where nothing was evaluated. reason_codes: of the verdict, as in `out_verdicts`.
    """

    policy_version: str = ""
    verdict: str = ""
    estimate: float | None = None
    lower: float | None = None
    upper: float | None = None
    truth: float | None = None
    reason_codes: str = ""


@dataclass(frozen=True)
class _Day:
    """A day after a night, from 1: true rewards per round, as in `true_values.DayValues`."""

    world: str
    seed: int
    way: str
    night: int
    as_of: str
    served: float
    first: float
    first_explored: float
    oracle: float


@dataclass(frozen=True)
class LoopDay(Said, _Day):
    """A day, and what the night before it said."""
