"""The budget of a night in sentences, for its page, the overview and the terminal."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from reports.summaries.budget import (
    METHODS,
    BudgetCell,
    BudgetTotal,
    HeldOutWeek,
    budget_cells,
    budget_totals,
    held_out_weeks,
    late_channels,
    main_total,
    mean_miss,
    moved_cents,
)
from reports.summaries.night import Night
from reports.wording import budget as wording
from reports.wording.catalog import Catalog

LINES, TOTALS, BACKTEST = "out_budget_allocation", "out_budget_totals", "out_budget_backtest"
# The gap is an upper bound, so a gap that would print as zero is rounded up.
SMALLEST_PRINTED_GAP = 1e-6


@dataclass(frozen=True)
class BudgetWords:
    """The budget in sentences, for the page, its overview and the terminal; "" where there is none."""

    decision: str
    gain: str
    expectation: str
    limits: str
    backtest: str
    last_week: str
    certificate: str
    late: tuple[str, ...]


@dataclass(frozen=True)
class Budget:
    """The rows of one scenario in a language; `decimals` of its revenue."""

    totals: tuple[BudgetTotal, ...]
    shop: BudgetTotal
    cells: tuple[BudgetCell, ...]
    weeks: tuple[HeldOutWeek, ...]
    currency: str
    decimals: int
    catalog: Catalog

    @property
    def channels(self) -> list[BudgetTotal]:
        """The sums of the channels."""
        return [t for t in self.totals if t.scope == "channel" and t.scenario == self.shop.scenario]


def budget_words(night: Night, catalog: Catalog) -> BudgetWords | None:
    """Return the sentences of the scenario that is nearest to today's total, or None without rows."""
    budget = read_budget(night, catalog)
    return None if budget is None else words_of(budget)


def read_budget(night: Night, catalog: Catalog) -> Budget | None:
    """Return the scenario that is nearest to today's total, or None without rows."""
    totals = budget_totals(night.rows(TOTALS))
    shop = main_total(totals)
    everything = budget_cells(night.rows(LINES))
    if shop is None or not everything:
        return None
    cells = tuple(cell for cell in everything if cell.scenario == shop.scenario)
    weeks = held_out_weeks(night.rows(BACKTEST))
    return Budget(totals, shop, cells, weeks, night.manifest.currency, _revenue_decimals(cells), catalog)


def words_of(budget: Budget) -> BudgetWords:
    """Return the sentences of this budget."""
    shop, has_moves, catalog = budget.shop, budget.shop.n_moved > 0, budget.catalog
    numbers = catalog.numbers
    current, recommended = (
        money(numbers.cents(amount), budget)
        for amount in (shop.daily_spend_current_cents, shop.daily_spend_recommended_cents)
    )
    same_total = shop.daily_spend_current_cents == shop.daily_spend_recommended_cents
    prices = {cell.shadow_price for cell in budget.cells if cell.shadow_price is not None}
    gaps = {cell.certified_gap for cell in budget.cells if cell.certified_gap is not None}
    limit = numbers.share(shop.move_limit)
    misses = {name: mean_miss(budget.weeks, name) for name in METHODS}
    return BudgetWords(
        decision=wording.decision(
            money(numbers.cents(moved_cents(budget.cells)), budget),
            current,
            recommended,
            catalog,
            n_moved=shop.n_moved,
            n_lines=shop.n_cells,
        ),
        gain=wording.gain(
            money(revenue(shop.gain_cents, budget, signed=True), budget),
            between(shop.gain_lower_cents, shop.gain_upper_cents, budget, signed=True),
            catalog,
            has_moves=has_moves,
            crosses_zero=shop.gain_lower_cents <= 0 <= shop.gain_upper_cents,
            same_total=same_total,
        ),
        expectation=wording.expectation(
            estimate(*today(shop), budget), estimate(*planned(shop), budget), catalog, has_moves=has_moves
        ),
        limits=catalog.paragraph(
            wording.limits(shop.n_at_limit, shop.n_cells, limit, catalog),
            wording.refused(shop.n_refused, shop.n_cells, catalog),
        ),
        backtest=wording.backtest(
            {name: numbers.share(miss) for name, miss in misses.items() if miss is not None},
            len(budget.weeks),
            catalog,
            is_cautious=shop.is_cautious,
            limit=limit,
        ),
        last_week=_last_week(budget),
        certificate=wording.certificate(
            numbers.share(max(*gaps, SMALLEST_PRINTED_GAP)) if gaps else None,
            numbers.ratio(max(prices)) if prices else None,
            catalog,
        ),
        late=tuple(
            catalog.text("budget.late", channel=channel, until=until, n_days=n_days)
            for channel, (until, n_days) in late_channels(budget.cells).items()
        ),
    )


def _last_week(budget: Budget) -> str:
    if not budget.weeks:
        return ""
    week = budget.weeks[0]
    return budget.catalog.text(
        "budget.last_week",
        first=week.first,
        last=week.last,
        predicted=money(revenue(week.predicted_cents, budget), budget),
        earned=money(revenue(week.earned_cents, budget), budget),
        miss=budget.catalog.numbers.share(week.miss_share, signed=True),
    )


def today(total: BudgetTotal) -> tuple[int, int, int]:
    """Return revenue a day at today's spend: value, lower and upper end."""
    return (
        total.daily_revenue_current_cents,
        total.daily_revenue_current_lower_cents,
        total.daily_revenue_current_upper_cents,
    )


def planned(total: BudgetTotal) -> tuple[int, int, int]:
    """Return revenue a day by the plan: value, lower and upper end."""
    return (
        total.daily_revenue_expected_cents,
        total.daily_revenue_lower_cents,
        total.daily_revenue_upper_cents,
    )


def estimate(value: int, lower: int, upper: int, budget: Budget) -> str:
    """Return an amount with its currency and its interval."""
    amount = money(revenue(value, budget), budget)
    return budget.catalog.numbers.with_interval(amount, between(lower, upper, budget))


def between(lower: int, upper: int, budget: Budget, *, signed: bool = False) -> str:
    """Return both ends of an interval."""
    ends = (revenue(end, budget, signed=signed) for end in (lower, upper))
    return budget.catalog.numbers.between(*ends)


def revenue(amount: int, budget: Budget, *, signed: bool = False) -> str:
    """Return revenue with the decimals of the night."""
    return budget.catalog.numbers.cents(amount, budget.decimals, signed=signed)


def money(amount: str, budget: Budget) -> str:
    """Return an amount with its currency."""
    return budget.catalog.numbers.with_currency(amount, budget.currency)


def _revenue_decimals(cells: Sequence[BudgetCell]) -> int:
    """Return 0 where a typical line earns a hundred units or more: its interval is wider than cents."""
    known = [cell.expected_revenue_cents for cell in cells if cell.expected_revenue_cents is not None]
    return 0 if known and median(known) >= 10_000 else 2
