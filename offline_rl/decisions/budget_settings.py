"""How far spend may move in one night, and what must be known before it does."""

from dataclasses import dataclass


@dataclass(frozen=True)
class BudgetSettings:
    """The choices behind a budget table.

    budget_cents: total per day; None keeps the current total.
    move_limit: largest share by which a cell moves in one night.
    history_days, current_days: days of log behind the curves, and logged days whose mean is "current".
    minimum_days, minimum_spread: least `ess` and `spread` (see `spend_evidence`) of a cell that may move.
    minimum_agreement: least share of the drawn curves that must agree on the direction of a move.
    """

    budget_cents: int | None = None
    move_limit: float = 0.3
    history_days: int = 56
    current_days: int = 7
    minimum_days: float = 7.0
    minimum_spread: float = 0.05
    minimum_agreement: float = 0.6
    n_draws: int = 200
