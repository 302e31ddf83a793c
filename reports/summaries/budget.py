"""out_budget_allocation → cells, sums per scenario and channel, and the biggest moves."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class BudgetCell:
    """One campaign on one channel for one segment: today's spend, tomorrow's, and what to expect.

    Money in cents per day.
    """

    scenario: str
    campaign_id: str
    channel: str
    segment_id: str
    spend_current_cents: int
    spend_recommended_cents: int
    change_share: float | None
    expected_conversions: float | None
    expected_revenue_cents: int
    revenue_lower_cents: int
    revenue_upper_cents: int
    roas: float | None
    marginal_roas: float | None
    shadow_price: float | None
    status: str
    reason_text: str
    certified_gap: float | None

    @property
    def change_cents(self) -> int:
        """Recommended less current spend."""
        return self.spend_recommended_cents - self.spend_current_cents

    @property
    def name(self) -> str:
        """Campaign, channel and segment in one line."""
        return f"{self.campaign_id} · {self.channel} · {self.segment_id}"


@dataclass(frozen=True)
class BudgetSum:
    """Sums over cells, in cents per day.

    revenue_lower_cents and revenue_upper_cents are sums of the cells' interval ends: wider than the
    interval of the sum wherever the cells err independently.
    """

    name: str
    n_cells: int
    n_moved: int
    spend_current_cents: int
    spend_recommended_cents: int
    expected_revenue_cents: int
    revenue_lower_cents: int
    revenue_upper_cents: int
    expected_conversions: float
    shadow_price: float | None
    certified_gap: float | None

    @property
    def change_cents(self) -> int:
        """Recommended less current spend."""
        return self.spend_recommended_cents - self.spend_current_cents

    @property
    def change_share(self) -> float | None:
        """Change over current spend; None where nothing was spent."""
        return self.change_cents / self.spend_current_cents if self.spend_current_cents else None

    @property
    def roas(self) -> float | None:
        """Expected revenue per unit of recommended spend; None without spend."""
        return (
            self.expected_revenue_cents / self.spend_recommended_cents
            if self.spend_recommended_cents
            else None
        )


def budget_cells(rows: pl.DataFrame) -> tuple[BudgetCell, ...]:
    """Return the cells, the biggest move first."""
    records = [BudgetCell(**row) for row in rows.select(list(BudgetCell.__dataclass_fields__)).to_dicts()]
    return tuple(
        sorted(records, key=lambda c: (-abs(c.change_cents), -c.spend_current_cents, c.name, c.scenario))
    )


def budget_sum(name: str, cells: Sequence[BudgetCell]) -> BudgetSum:
    """Return the sums over these cells."""
    gaps = [cell.certified_gap for cell in cells if cell.certified_gap is not None]
    prices = [cell.shadow_price for cell in cells if cell.shadow_price is not None]
    return BudgetSum(
        name=name,
        n_cells=len(cells),
        n_moved=sum(cell.change_cents != 0 for cell in cells),
        spend_current_cents=sum(cell.spend_current_cents for cell in cells),
        spend_recommended_cents=sum(cell.spend_recommended_cents for cell in cells),
        expected_revenue_cents=sum(cell.expected_revenue_cents for cell in cells),
        revenue_lower_cents=sum(cell.revenue_lower_cents for cell in cells),
        revenue_upper_cents=sum(cell.revenue_upper_cents for cell in cells),
        expected_conversions=sum(cell.expected_conversions or 0.0 for cell in cells),
        shadow_price=max(prices, default=None),
        certified_gap=max(gaps, default=None),
    )


def sums_by(cells: Iterable[BudgetCell], key: Callable[[BudgetCell], str]) -> tuple[BudgetSum, ...]:
    """Return one sum per key, the highest current spend first."""
    groups: dict[str, list[BudgetCell]] = {}
    for cell in cells:
        groups.setdefault(key(cell), []).append(cell)
    sums = [budget_sum(name, members) for name, members in groups.items()]
    return tuple(sorted(sums, key=lambda s: (-s.spend_current_cents, s.name)))


def main_scenario(cells: Iterable[BudgetCell]) -> str | None:
    """Return the scenario whose total is nearest to today's spend; None without cells."""
    scenarios = sums_by(cells, lambda cell: cell.scenario)
    return min(scenarios, key=lambda s: (abs(s.change_cents), s.name)).name if scenarios else None


def moved_cents(cells: Iterable[BudgetCell]) -> int:
    """Return the spend that changes cells: what all growing cells gain together."""
    return sum(cell.change_cents for cell in cells if cell.change_cents > 0)
