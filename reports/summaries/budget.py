"""out_budget_allocation and out_budget_totals → lines and sums, and how well the curves predicted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from features.contracts.findings import Finding, from_json

METHODS = ("curves", "same_return", "same_revenue")


@dataclass(frozen=True)
class BudgetCell:
    """One campaign on one channel for one segment: today's spend, tomorrow's, and what to expect.

    Money in cents of a day on which the line spends; daily_* are means over all days. Expectations are None
    where the line was refused. findings: why the spend moves or stays.
    """

    scenario: str
    campaign_id: str
    channel: str
    segment_id: str
    spend_current_cents: int
    spend_recommended_cents: int
    active_share: float
    daily_spend_current_cents: int
    daily_spend_recommended_cents: int
    change_share: float | None
    expected_revenue_cents: int | None
    revenue_lower_cents: int | None
    revenue_upper_cents: int | None
    roas: float | None
    marginal_roas: float | None
    shadow_price: float | None
    logged_until: date
    status: str
    findings: tuple[Finding, ...]
    certified_gap: float | None

    @property
    def change_cents(self) -> int:
        """Recommended less current spend, of a day with spend."""
        return self.spend_recommended_cents - self.spend_current_cents

    @property
    def daily_change_cents(self) -> int:
        """Recommended less current spend, all days counted."""
        return self.daily_spend_recommended_cents - self.daily_spend_current_cents

    @property
    def name(self) -> str:
        """Campaign, channel and segment in one line."""
        return f"{self.campaign_id} · {self.channel} · {self.segment_id}"


@dataclass(frozen=True)
class BudgetTotal:
    """What the shop or one of its channels spends and earns a day, today and by the plan; money in cents."""

    scenario: str
    scope: str
    channel: str
    n_cells: int
    n_moved: int
    n_at_limit: int
    n_refused: int
    daily_spend_current_cents: int
    daily_spend_recommended_cents: int
    daily_revenue_current_cents: int
    daily_revenue_current_lower_cents: int
    daily_revenue_current_upper_cents: int
    daily_revenue_expected_cents: int
    daily_revenue_lower_cents: int
    daily_revenue_upper_cents: int
    gain_cents: int
    gain_lower_cents: int
    gain_upper_cents: int
    move_limit: float
    is_cautious: bool
    logged_until: date

    @property
    def change_cents(self) -> int:
        """Recommended less current spend."""
        return self.daily_spend_recommended_cents - self.daily_spend_current_cents

    @property
    def change_share(self) -> float | None:
        """Change over current spend; None where nothing was spent."""
        return self.change_cents / self.daily_spend_current_cents if self.daily_spend_current_cents else None

    @property
    def roas(self) -> float | None:
        """Expected revenue per unit of recommended spend; None without spend."""
        spend = self.daily_spend_recommended_cents
        return self.daily_revenue_expected_cents / spend if spend else None


@dataclass(frozen=True)
class HeldOutWeek:
    """What the days before a week predicted for it; money in cents per day.

    misses: method → sum over lines of the absolute miss, over what they earned.
    """

    first: date
    last: date
    n_cells: int
    earned_cents: int
    predicted_cents: int
    misses: dict[str, float]

    @property
    def miss_share(self) -> float:
        """What the curves predicted for all lines together over what they earned, less one."""
        return self.predicted_cents / self.earned_cents - 1.0


def budget_cells(rows: pl.DataFrame) -> tuple[BudgetCell, ...]:
    """Return the lines, the biggest move first."""
    fields = rows.select(list(BudgetCell.__dataclass_fields__)).to_dicts()
    records = [BudgetCell(**row | {"findings": from_json(row["findings"])}) for row in fields]
    return tuple(
        sorted(
            records,
            key=lambda c: (-abs(c.daily_change_cents), -c.daily_spend_current_cents, c.name, c.scenario),
        )
    )


def budget_totals(rows: pl.DataFrame) -> tuple[BudgetTotal, ...]:
    """Return the sums, of the shop first and then of its channels by what they spend."""
    records = [BudgetTotal(**row) for row in rows.select(list(BudgetTotal.__dataclass_fields__)).to_dicts()]
    return tuple(
        sorted(
            records,
            key=lambda t: (t.scenario, t.scope != "shop", -t.daily_spend_current_cents, t.channel),
        )
    )


def main_total(totals: Iterable[BudgetTotal]) -> BudgetTotal | None:
    """Return the shop's sum in the scenario that is nearest to today's spend; None without totals."""
    shops = [total for total in totals if total.scope == "shop"]
    return min(shops, key=lambda t: (abs(t.change_cents), t.scenario), default=None)


def moved_cents(cells: Iterable[BudgetCell]) -> int:
    """Return the spend per day that changes lines: what all growing lines gain together."""
    return sum(cell.daily_change_cents for cell in cells if cell.daily_change_cents > 0)


def late_channels(cells: Sequence[BudgetCell]) -> dict[str, tuple[date, int]]:
    """Return channel → last day of its log and days that it lacks, where it ends before the others'."""
    newest = max((cell.logged_until for cell in cells), default=date.min)
    ends = {cell.channel: cell.logged_until for cell in cells}
    return {
        channel: (until, (newest - until).days) for channel, until in sorted(ends.items()) if until < newest
    }


def held_out_weeks(rows: pl.DataFrame) -> tuple[HeldOutWeek, ...]:
    """Return the weeks that were held out, the newest first."""
    weeks: dict[date, dict[str, dict[str, Any]]] = {}
    for row in rows.to_dicts():
        weeks.setdefault(row["held_out_from"], {})[row["method"]] = row
    return tuple(
        HeldOutWeek(
            first=first,
            last=methods["curves"]["held_out_to"],
            n_cells=methods["curves"]["n_cells"],
            earned_cents=methods["curves"]["earned_revenue_cents"],
            predicted_cents=methods["curves"]["predicted_revenue_cents"],
            misses={name: methods[name]["cell_miss_share"] for name in METHODS if name in methods},
        )
        for first, methods in sorted(weeks.items(), reverse=True)
        if "curves" in methods
    )


def mean_miss(weeks: Sequence[HeldOutWeek], method: str) -> float | None:
    """Return what a method missed of the lines' revenue over all weeks; None where a week lacks it."""
    if not weeks or any(method not in week.misses for week in weeks):
        return None
    missed = sum(week.misses[method] * week.earned_cents for week in weeks)
    return missed / sum(week.earned_cents for week in weeks)
