"""Tables of a budget: its lines, sums over channels or scenarios, and weeks that were held out."""

from collections.abc import Sequence

from reports.pages.budget_words import BACKTEST, LINES, TOTALS, Budget, between, planned, revenue
from reports.pages.cells import heads, marked, measured, ratioed, shared, text
from reports.pages.marks import BUDGET_STATUS
from reports.summaries.budget import METHODS, BudgetCell, BudgetTotal, mean_miss
from reports.summaries.printed_table import (
    Cell,
    Column,
    IntervalBar,
    PrintedTable,
    first_rows,
    interval_bars,
)
from reports.wording.catalog import Catalog
from reports.wording.sentences import say

CELLS_FOLDED = 200
_SPEND = ("today#", "recommended#", "change#")


def written_unit(budget: Budget) -> str:
    """Return what amounts are per, with their currency where it is known."""
    if not budget.currency:
        return budget.catalog.text("budget.unit_unknown")
    return budget.catalog.text("budget.unit", currency=budget.currency)


def lines_at_limit(total: BudgetTotal, catalog: Catalog) -> str:
    """Return how many lines stop at a limit."""
    return catalog.text("some_of", n_some=total.n_at_limit, n_all=total.n_cells)


def cells_table(
    caption: str, cells: Sequence[BudgetCell], budget: Budget, total: BudgetTotal | None = None
) -> PrintedTable:
    """Return lines with what happens to each; total: of all lines, above them."""
    catalog = budget.catalog
    columns = heads(catalog, "budget_line", "status", *_SPEND, "expected_revenue#", "roas#", "next_unit#")
    rows = [
        (
            text(cell.name, catalog),
            marked(cell.status, BUDGET_STATUS, catalog, "budget_status"),
            *_spend_cells(cell.spend_current_cents, cell.spend_recommended_cents, cell.change_share, catalog),
            _estimated(
                cell.expected_revenue_cents, cell.revenue_lower_cents, cell.revenue_upper_cents, budget
            ),
            ratioed(cell.roas, catalog),
            ratioed(cell.marginal_roas, catalog),
        )
        for cell in cells
    ]
    whys = [say(cell.findings, catalog=catalog) for cell in cells]
    above = _total_row(total, budget) if total else None
    return first_rows(caption, columns, rows, LINES, total=above, whys=whys, shown=CELLS_FOLDED)


def _total_row(total: BudgetTotal, budget: Budget) -> tuple[Cell, ...]:
    catalog = budget.catalog
    return (
        text(catalog.text("budget.all_lines_all_days"), catalog),
        Cell(""),
        *_spend_cells(
            total.daily_spend_current_cents, total.daily_spend_recommended_cents, total.change_share, catalog
        ),
        _estimated(*planned(total), budget),
        ratioed(total.roas, catalog),
        Cell(""),
    )


def sums_table(
    caption: str, head: str, sums: Sequence[BudgetTotal], total: BudgetTotal | None, budget: Budget
) -> PrintedTable:
    """Return sums with what they gain; the line of the total is on the same scale as the others."""
    catalog, numbers = budget.catalog, budget.catalog.numbers
    columns = heads(catalog, head, *_SPEND, "gain_in_revenue#", "planned_revenue#", "lines_at_limit#")
    lines = [*sums, *([total] if total else [])]
    gains = [(line.gain_cents, line.gain_lower_cents, line.gain_upper_cents) for line in lines]
    bars = interval_bars(gains)

    def row(line: BudgetTotal, name: str, bar: IntervalBar | None) -> tuple[Cell, ...]:
        gain = revenue(line.gain_cents, budget, signed=True)
        ends = between(line.gain_lower_cents, line.gain_upper_cents, budget, signed=True)
        return (
            text(name, catalog),
            measured(numbers.cents(line.daily_spend_current_cents), line.daily_spend_current_cents),
            measured(numbers.cents(line.daily_spend_recommended_cents), line.daily_spend_recommended_cents),
            shared(line.change_share, catalog, signed=True),
            measured(numbers.with_interval(gain, ends), line.gain_cents, bar),
            _estimated(*planned(line), budget),
            measured(lines_at_limit(line, catalog), line.n_at_limit),
        )

    rows = [
        row(line, line.channel if line.scope == "channel" else line.scenario, bar)
        for line, bar in zip(sums, bars, strict=False)
    ]
    above = row(total, catalog.text("budget.all_lines"), bars[-1]) if total else None
    return first_rows(caption, columns, rows, TOTALS, total=above)


def weeks_table(budget: Budget) -> PrintedTable:
    """Return the weeks that were held out, the newest first, and what each method missed of them."""
    catalog, numbers = budget.catalog, budget.catalog.numbers
    methods = [catalog.text(f"budget_method.{name}") for name in METHODS]
    columns = (
        *heads(catalog, "week", "earned#", "curves_predicted#", "miss#"),
        *(Column(catalog.text("head.miss_per_line", method=method), "number") for method in methods),
    )
    rows = [
        (
            text(catalog.text("budget.days", first=week.first, last=week.last), catalog),
            measured(numbers.cents(week.earned_cents, budget.decimals), week.earned_cents),
            measured(numbers.cents(week.predicted_cents, budget.decimals), week.predicted_cents),
            shared(week.miss_share, catalog, signed=True),
            *(shared(week.misses.get(name), catalog) for name in METHODS),
        )
        for week in budget.weeks
    ]
    total = (
        text(catalog.text("budget.all_weeks"), catalog),
        Cell(""),
        Cell(""),
        Cell(""),
        *(shared(mean_miss(budget.weeks, name), catalog) for name in METHODS),
    )
    caption = catalog.text("caption.weeks", unit=written_unit(budget))
    return first_rows(caption, columns, rows, BACKTEST, total=total)


def _spend_cells(current: int, recommended: int, change: float | None, catalog: Catalog) -> tuple[Cell, ...]:
    moved, numbers = recommended - current, catalog.numbers
    written, share = numbers.cents(moved, signed=True), numbers.share(change, signed=True)
    return (
        measured(numbers.cents(current), current),
        measured(numbers.cents(recommended), recommended),
        measured(catalog.text("budget.change_with_share", change=written, share=share), moved),
    )


def _estimated(value: int | None, lower: int | None, upper: int | None, budget: Budget) -> Cell:
    if value is None or lower is None or upper is None:
        return text(None, budget.catalog)
    amount, ends = revenue(value, budget), between(lower, upper, budget)
    return measured(budget.catalog.numbers.with_interval(amount, ends), value)
