"""Everything a night knows when the budget is decided; the tables are written from it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offline_rl.decisions.budget.largest_remainder import Cents
from offline_rl.decisions.budget.plan import BudgetPlan
from offline_rl.decisions.budget.response_curves import CurveFit
from offline_rl.decisions.budget.revenue_forecast import RevenueDraws
from offline_rl.decisions.budget.spend_evidence import SpendEvidence
from offline_rl.decisions.budget.spend_log import SpendLog
from offline_rl.decisions.budget_settings import BudgetSettings

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class BudgetDecision:
    """The log, the curves, the plan, and what next week may earn; [cells] in the order of the log's keys.

    share: days with spend over all days, 1 for cells that spend nothing now. The plan is in cents per day,
    all days counted; what a cell spends on a day of spending is that over `share`.
    settings: as used, after caution. is_cautious: the curves have not shown that they predict.
    """

    log: SpendLog
    fit: CurveFit
    evidence: SpendEvidence
    plan: BudgetPlan
    revenue: RevenueDraws
    share: Array
    settings: BudgetSettings
    is_cautious: bool

    @property
    def binding(self) -> NDArray[np.str_]:
        """What stops each cell: none, spend_min, spend_max or support."""
        plan, spend = self.plan, self.plan.allocation.spend_cents
        moves = plan.has_evidence & ~plan.is_disputed & (plan.current_cents > 0)
        at_most = moves & (spend == plan.cells.spend_max_cents)
        at_least = moves & (spend == plan.cells.spend_min_cents)
        reach = np.floor(plan.current_cents * (1.0 + self.settings.move_limit))
        by_log = at_most & (plan.cells.spend_max_cents < reach)
        # What stops a refused cell is what its log doesn't say.
        names = np.select(
            [~plan.has_evidence | by_log, at_most, at_least], ["support", "spend_max", "spend_min"], "none"
        )
        return np.asarray(names)

    @property
    def moves(self) -> Mask:
        """Which cells change their spend."""
        return np.asarray(self.plan.allocation.spend_cents != self.plan.current_cents)

    def of_spending_days(self, cents: Cents) -> Cents:
        """Turn cents per day into cents of a day on which the cell spends."""
        return np.rint(cents / self.share).astype(np.int64)
