"""What will be spent: the gain with its interval, sums per channel, moves per line, and the back-test."""

from collections.abc import Iterator, Sequence

from reports import budget_wording as wording
from reports.charts.budget_moves import CELLS_DRAWN, budget_moves
from reports.pages.area_part import AreaPart, Block, Card, Drawn, Facts, Notice, Paragraph, Printed, Section
from reports.pages.budget_words import (
    BACKTEST,
    LINES,
    TOTALS,
    Budget,
    BudgetWords,
    between,
    budget_words,
    estimate,
    fixed_cents,
    money,
    planned,
    read_budget,
    revenue,
    today,
    words_of,
)
from reports.pages.cells import heads, marked, measured, ratioed, shared, text
from reports.pages.figure import Figure, Key
from reports.summaries.budget import METHODS, BudgetCell, BudgetTotal, mean_miss
from reports.summaries.formatting import RewardFormat, cents, share
from reports.summaries.night import Night
from reports.summaries.printed_table import (
    Cell,
    IntervalBar,
    PrintedTable,
    first_rows,
    interval_bars,
)
from reports.wording import CAUTION_SPEND
from reports.wording.sentences import say

CELLS_OPEN = 15
CELLS_FOLDED = 200
KEYS = (
    Key("ring", "other", "spend today"),
    Key("right", "candidate", "recommended, more"),
    Key("left", "baseline", "recommended, less"),
)


def sections(night: Night, _reward: RewardFormat) -> tuple[Section, ...]:
    """Return the budget of the scenario that is nearest to today's total, with tables whose totals agree."""
    budget = read_budget(night)
    if budget is None:
        return ()
    words = words_of(budget)
    return (
        Section(
            "Budget",
            (
                Paragraph(f"{words.decision} {words.gain}", is_decision=True),
                Facts(_facts(budget)),
                Paragraph(f"{words.limits} {words.backtest}"),
                *map(Notice, words.late),
                Drawn(_moves(budget)),
                *_tables(budget),
                Paragraph(f"{wording.TOTALS_HINT} {words.certificate} (Scenario: {budget.shop.scenario}.)"),
                *_weeks(budget, words),
            ),
        ),
    )


def card(night: Night) -> Card | None:
    """Return the budget as the overview has it, None where nothing was decided."""
    words = budget_words(night)
    if words is None:
        return None
    return Card(
        "Budget",
        "the ad budget",
        words.decision,
        (
            f"{words.gain} {words.expectation}",
            words.limits,
            f"{words.backtest} {words.last_week}",
            *words.late,
        ),
    )


def cautions(night: Night) -> tuple[str, ...]:
    """Return that curves of spend are no experiments, where lines rest on them."""
    return () if night.rows(LINES).is_empty() else (CAUTION_SPEND,)


def lines(night: Night) -> tuple[str, ...]:
    """Return the same sentences for the terminal, none where nothing was decided."""
    words = budget_words(night)
    if words is None:
        return ()
    evidence = f"{words.backtest} {words.last_week}".rstrip()
    below = (words.expectation, words.limits, evidence, *words.late)
    return f"budget: {words.decision} {words.gain}", *(f"  {line}" for line in below)


def _unit(budget: Budget) -> str:
    return f"{budget.currency} per day" if budget.currency else "per day, in units of the currency"


def _moves(budget: Budget) -> Figure:
    """Return a chart of the biggest moves."""
    cells = budget.cells
    return Figure(
        svg=budget_moves(cells, axis=f"spend, {_unit(budget)}"),
        name=f"Spend today and recommended, biggest moves first, {min(CELLS_DRAWN, len(cells))} budget "
        "lines; the table below has the numbers",
        conclusion=wording.moves_conclusion(*_ends(cells)),
        keys=KEYS,
    )


def _tables(budget: Budget) -> Iterator[Printed]:
    """Yield channels, the biggest moves, the others folded, and scenarios where several were asked."""
    cells, shop, unit = budget.cells, budget.shop, _unit(budget)
    yield Printed(_sums_table(f"Channels, {unit}", "Channel", budget.channels, shop, budget.decimals))
    caption = f"Budget lines, {unit} with spend, the biggest move first"
    yield Printed(_cells_table(caption, cells[:CELLS_OPEN], budget, total=shop))
    if len(cells) > CELLS_OPEN:
        caption = f"Budget lines, {unit} with spend, the smaller moves"
        yield Printed(
            _cells_table(caption, cells[CELLS_OPEN:], budget), wording.more_lines(len(cells) - CELLS_OPEN)
        )
    scenarios = [total for total in budget.totals if total.scope == "shop"]
    if len(scenarios) > 1:
        yield Printed(_sums_table(f"Scenarios, {unit}", "Scenario", scenarios, None, budget.decimals))


def _weeks(budget: Budget, words: BudgetWords) -> Iterator[Block]:
    """Yield the held-out weeks, nothing where none could be held out."""
    if budget.weeks:
        yield Paragraph(words.last_week)
        yield Printed(_weeks_table(f"Held-out weeks, {_unit(budget)}, the newest first", budget))
        yield Paragraph(wording.BACKTEST_HINT)


def _facts(budget: Budget) -> tuple[tuple[str, str], ...]:
    shop = budget.shop
    change = "unchanged" if shop.change_cents == 0 else f"then {cents(shop.daily_spend_recommended_cents)}"
    now, then = estimate(*today(shop), budget), estimate(*planned(shop), budget)
    return (
        ("Total spend a day", f"{money(cents(shop.daily_spend_current_cents), budget)}, {change}"),
        ("Expected revenue a day", f"{now} at today's spend, {then} by the plan"),
        (
            "Gain a day",
            f"{money(revenue(shop.gain_cents, budget, signed=True), budget)} "
            f"({between(shop.gain_lower_cents, shop.gain_upper_cents, budget, signed=True)})",
        ),
        ("Budget lines that stop at a limit", f"{shop.n_at_limit:,} of {shop.n_cells:,}"),
    )


def _ends(cells: Sequence[BudgetCell]) -> tuple[str, str]:
    gains = [cell.name for cell in cells if cell.change_cents > 0]
    losses = [cell.name for cell in cells if cell.change_cents < 0]
    return (gains[0] if gains else "", losses[0] if losses else "")


def _cells_table(
    caption: str, cells: Sequence[BudgetCell], budget: Budget, total: BudgetTotal | None = None
) -> PrintedTable:
    columns = heads("Budget line", "Status", *_SPEND, "Expected revenue (interval)#", "ROAS#", "Next unit#")
    rows = [
        (
            text(cell.name),
            marked(cell.status, wording.STATUS),
            *_spend_cells(cell.spend_current_cents, cell.spend_recommended_cents, cell.change_share),
            _estimated(
                cell.expected_revenue_cents,
                cell.revenue_lower_cents,
                cell.revenue_upper_cents,
                budget.decimals,
            ),
            ratioed(cell.roas),
            ratioed(cell.marginal_roas),
        )
        for cell in cells
    ]
    whys = [say(cell.findings) for cell in cells]
    above = _total_row(total, budget.decimals) if total else None
    return first_rows(caption, columns, rows, LINES, total=above, whys=whys, shown=CELLS_FOLDED)


def _total_row(total: BudgetTotal, decimals: int) -> tuple[Cell, ...]:
    return (
        text("All lines, all days"),
        Cell(""),
        *_spend_cells(
            total.daily_spend_current_cents, total.daily_spend_recommended_cents, total.change_share
        ),
        _estimated(*planned(total), decimals),
        ratioed(total.roas),
        Cell(""),
    )


def _sums_table(
    caption: str, head: str, sums: Sequence[BudgetTotal], total: BudgetTotal | None, decimals: int
) -> PrintedTable:
    """Sums with what they gain; the line of the total is on the same scale as the others."""
    columns = heads(
        head,
        "Today#",
        "Recommended#",
        "Change#",
        "Gain in revenue (interval)#",
        "Planned revenue (interval)#",
        "Lines at a limit#",
    )
    lines = [*sums, *([total] if total else [])]
    gains = [(line.gain_cents, line.gain_lower_cents, line.gain_upper_cents) for line in lines]
    bars = interval_bars(gains)

    def row(line: BudgetTotal, name: str, bar: IntervalBar | None) -> tuple[Cell, ...]:
        gain = _signed_estimate(line.gain_cents, line.gain_lower_cents, line.gain_upper_cents, decimals)
        return (
            text(name),
            measured(cents(line.daily_spend_current_cents), line.daily_spend_current_cents),
            measured(cents(line.daily_spend_recommended_cents), line.daily_spend_recommended_cents),
            shared(line.change_share, signed=True),
            measured(gain, line.gain_cents, bar),
            _estimated(*planned(line), decimals),
            measured(f"{line.n_at_limit:,} of {line.n_cells:,}", line.n_at_limit),
        )

    rows = [
        row(line, line.channel if line.scope == "channel" else line.scenario, bar)
        for line, bar in zip(sums, bars, strict=False)
    ]
    above = row(total, "All lines", bars[-1]) if total else None
    return first_rows(caption, columns, rows, TOTALS, total=above)


def _weeks_table(caption: str, budget: Budget) -> PrintedTable:
    columns = heads(
        "Week",
        "Earned#",
        "Curves predicted#",
        "Miss#",
        *(f"Miss per line: {wording.METHODS[name]}#" for name in METHODS),
    )
    rows = [
        (
            text(f"{week.first} to {week.last}"),
            measured(fixed_cents(week.earned_cents, budget.decimals), week.earned_cents),
            measured(fixed_cents(week.predicted_cents, budget.decimals), week.predicted_cents),
            shared(week.miss_share, signed=True),
            *(shared(week.misses.get(name)) for name in METHODS),
        )
        for week in budget.weeks
    ]
    total = (
        text("All weeks"),
        Cell(""),
        Cell(""),
        Cell(""),
        *(shared(mean_miss(budget.weeks, name)) for name in METHODS),
    )
    return first_rows(caption, columns, rows, BACKTEST, total=total)


def _spend_cells(current: int, recommended: int, change: float | None) -> tuple[Cell, ...]:
    moved = recommended - current
    return (
        measured(cents(current), current),
        measured(cents(recommended), recommended),
        measured(f"{cents(moved, signed=True)} ({share(change, signed=True)})", moved),
    )


def _estimated(value: int | None, lower: int | None, upper: int | None, decimals: int) -> Cell:
    if value is None or lower is None or upper is None:
        return text(None)
    middle, *ends = (fixed_cents(amount, decimals) for amount in (value, lower, upper))
    return measured(f"{middle} ({' to '.join(ends)})", value)


def _signed_estimate(value: int, lower: int, upper: int, decimals: int) -> str:
    middle, *ends = (fixed_cents(amount, decimals, signed=True) for amount in (value, lower, upper))
    return f"{middle} ({' to '.join(ends)})"


_SPEND = ("Today#", "Recommended#", "Change#")


PART: AreaPart = AreaPart(sections, card=card, cautions=cautions, lines=lines)
