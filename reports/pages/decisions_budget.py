"""What will be spent: sums per channel, moves per cell, and the certificate."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from reports import wording
from reports.charts.budget_moves import CELLS_DRAWN, budget_moves
from reports.pages.cells import counted, heads, marked, measured, ratioed, text
from reports.pages.figure import Figure, Key
from reports.summaries.budget import (
    BudgetCell,
    BudgetSum,
    budget_cells,
    budget_sum,
    main_scenario,
    moved_cents,
    sums_by,
)
from reports.summaries.formatting import cents, count, fixed, ratio, share
from reports.summaries.night import Night
from reports.summaries.printed_table import Cell, Column, PrintedTable, first_rows

SOURCE = "out_budget_allocation"
CELLS_OPEN = 15
CELLS_FOLDED = 200
# The gap is an upper bound, so a gap that would print as zero is rounded up.
SMALLEST_PRINTED_GAP = 1e-6
KEYS = (
    Key("ring", "other", "spend today"),
    Key("right", "candidate", "recommended, more"),
    Key("left", "baseline", "recommended, less"),
)


@dataclass(frozen=True)
class BudgetDecisions:
    """The budget in words, a chart of the biggest moves, and tables whose totals agree.

    cells: the biggest moves; more_cells: the others, None where there are none.
    scenarios is None where only one was asked.
    """

    scenario: str
    decision: str
    certificate: str
    figure: Figure
    channels: PrintedTable
    cells: PrintedTable
    more_cells: PrintedTable | None
    more_summary: str
    scenarios: PrintedTable | None


def budget_decisions(night: Night) -> BudgetDecisions | None:
    """Return the budget of the scenario that is nearest to today's total, or None without rows."""
    everything = budget_cells(night.rows(SOURCE))
    scenario = main_scenario(everything)
    if scenario is None:
        return None
    cells = [cell for cell in everything if cell.scenario == scenario]
    total = budget_sum("All cells", cells)
    currency = night.manifest.currency
    unit = f", {currency} per day" if currency else " per day, in units of the currency"
    decimals = _revenue_decimals(cells)
    scenarios = sums_by(everything, lambda cell: cell.scenario)
    return BudgetDecisions(
        scenario=scenario,
        decision=budget_sentence(cells, total, currency),
        certificate=certificate_sentence(total),
        figure=Figure(
            svg=budget_moves(cells, axis=f"spend{unit}"),
            name=f"Spend today and recommended, biggest moves first, {min(CELLS_DRAWN, len(cells))} cells; "
            "the table below has the numbers",
            conclusion=wording.moves_conclusion(*_ends(cells)),
            keys=KEYS,
        ),
        channels=_sums_table(
            f"Channels{unit}", "Channel", sums_by(cells, lambda cell: cell.channel), total, decimals
        ),
        cells=_cells_table(f"Cells{unit}, the biggest move first", cells[:CELLS_OPEN], decimals, total),
        more_cells=_cells_table(f"Cells{unit}, the smaller moves", cells[CELLS_OPEN:], decimals)
        if len(cells) > CELLS_OPEN
        else None,
        more_summary=wording.more_cells(len(cells) - CELLS_OPEN),
        scenarios=_sums_table(f"Scenarios{unit}", "Scenario", scenarios, None, decimals)
        if len(scenarios) > 1
        else None,
    )


def budget_sentence(cells: Sequence[BudgetCell], total: BudgetSum, currency: str) -> str:
    """Return how much moves, and what the total becomes."""
    moved, current, recommended = (
        f"{cents(amount)} {currency}".rstrip()
        for amount in (moved_cents(cells), total.spend_current_cents, total.spend_recommended_cents)
    )
    return wording.budget_decision(
        moved, current, recommended, n_moved=count(total.n_moved), n_cells=count(total.n_cells)
    )


def revenue_sentence(cells: Sequence[BudgetCell], total: BudgetSum, currency: str) -> str:
    """Return the expected revenue and the sum of the cells' interval ends."""
    revenue, lower, upper = _revenue(total, _revenue_decimals(cells))
    return wording.expected_revenue(f"{revenue} {currency}".rstrip(), f"{lower} to {upper}")


def certificate_sentence(total: BudgetSum) -> str:
    """Return certified gap and shadow price in words."""
    return wording.certificate(
        None if total.certified_gap is None else share(max(total.certified_gap, SMALLEST_PRINTED_GAP)),
        None if total.shadow_price is None else ratio(total.shadow_price),
    )


def _ends(cells: Sequence[BudgetCell]) -> tuple[str, str]:
    gains = [cell.name for cell in cells if cell.change_cents > 0]
    losses = [cell.name for cell in cells if cell.change_cents < 0]
    return (gains[0] if gains else "", losses[0] if losses else "")


def _cells_table(
    caption: str, cells: Sequence[BudgetCell], decimals: int, total: BudgetSum | None = None
) -> PrintedTable:
    columns = heads("Cell", "Status", *_MONEY, "ROAS#", "Marginal ROAS#")
    rows = [
        (
            text(cell.name),
            marked(cell.status, wording.BUDGET_STATUS),
            *_money_cells(cell, decimals),
            ratioed(cell.roas),
            ratioed(cell.marginal_roas),
        )
        for cell in cells
    ]
    whys = [cell.reason_text for cell in cells]
    above = _total_row(total, decimals) if total else None
    return first_rows(caption, columns, rows, SOURCE, total=above, whys=whys, shown=CELLS_FOLDED)


def _total_row(total: BudgetSum, decimals: int) -> tuple[Cell, ...]:
    return (text("All cells"), Cell(""), *_money_cells(total, decimals), ratioed(total.roas), Cell(""))


def _sums_table(
    caption: str, head: str, sums: Sequence[BudgetSum], total: BudgetSum | None, decimals: int
) -> PrintedTable:
    columns: tuple[Column, ...] = heads(head, "Cells#", "Moved#", *_MONEY, "ROAS#")

    def row(line: BudgetSum) -> tuple[Cell, ...]:
        counts = (text(line.name), counted(line.n_cells), counted(line.n_moved))
        return (*counts, *_money_cells(line, decimals), ratioed(line.roas))

    return first_rows(
        caption, columns, [row(line) for line in sums], SOURCE, total=row(total) if total else None
    )


def _money_cells(line: BudgetCell | BudgetSum, decimals: int) -> tuple[Cell, ...]:
    revenue, lower, upper = _revenue(line, decimals)
    change = f"{cents(line.change_cents, signed=True)} ({share(line.change_share, signed=True)})"
    return (
        measured(cents(line.spend_current_cents), line.spend_current_cents),
        measured(cents(line.spend_recommended_cents), line.spend_recommended_cents),
        measured(change, line.change_cents),
        measured(f"{revenue} ({lower} to {upper})", line.expected_revenue_cents),
    )


def _revenue(line: BudgetCell | BudgetSum, decimals: int) -> tuple[str, str, str]:
    amounts = (line.expected_revenue_cents, line.revenue_lower_cents, line.revenue_upper_cents)
    revenue, lower, upper = (fixed(amount / 100, decimals) for amount in amounts)
    return revenue, lower, upper


def _revenue_decimals(cells: Sequence[BudgetCell]) -> int:
    """Return 0 where a typical cell earns a hundred units or more: its interval is wider than cents."""
    return 0 if median(cell.expected_revenue_cents for cell in cells) >= 10_000 else 2


_MONEY = ("Today#", "Recommended#", "Change#", "Expected revenue (interval)#")
