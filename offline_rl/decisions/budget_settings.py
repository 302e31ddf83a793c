"""How far spend may move in one night, and what must be known before it does."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class BudgetSettings:
    """The choices behind a budget table.

    budget_cents: total per day; None keeps the current total.
    move_limit: largest share by which a cell moves in one night.
    history_days, current_days: days of log behind the curves, and logged days whose mean is "current".
    late_days: a channel whose log ends up to this many days before the shop's is late, and nothing is known
    of the days it lacks; one that is silent for longer has stopped.
    minimum_days, minimum_spread: least `ess` and `spread` (see `spend_evidence`) of a cell that may move.
    minimum_agreement: least share of the drawn curves that must agree on the direction of a move.
    cautious_agreement, cautious_share: where the curves did not predict the last weeks better than last
    week's return does, this share of draws must agree, and a cell moves by that share of `move_limit`.
    """

    budget_cents: int | None = None
    move_limit: float = 0.3
    history_days: int = 56
    current_days: int = 7
    late_days: int = 14
    minimum_days: float = 7.0
    minimum_spread: float = 0.05
    minimum_agreement: float = 0.6
    cautious_agreement: float = 0.8
    cautious_share: float = 0.5
    n_draws: int = 200

    def cautious(self) -> "BudgetSettings":
        """Return the settings of a night whose curves have not shown that they predict.

        >>> BudgetSettings().cautious().move_limit, BudgetSettings().cautious().minimum_agreement
        (0.15, 0.8)
        """
        return replace(
            self,
            move_limit=self.move_limit * self.cautious_share,
            minimum_agreement=max(self.minimum_agreement, self.cautious_agreement),
        )
