"""What will be spent: the gain with its interval, sums per channel, moves per line, and the back-test."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from reports import budget_wording as wording
from reports.charts.budget_moves import CELLS_DRAWN, budget_moves
from reports.pages.cells import heads, marked, measured, ratioed, shared, text
from reports.pages.figure import Figure, Key
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
from reports.summaries.formatting import cents, fixed, ratio, share
from reports.summaries.night import Night
from reports.summaries.printed_table import (
    Cell,
    IntervalBar,
    PrintedTable,
    first_rows,
    interval_bars,
)

LINES, TOTALS, BACKTEST = "out_budget_allocation", "out_budget_totals", "out_budget_backtest"
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
class BudgetDecisions:
    """The budget in words, a chart of the biggest moves, and tables whose totals agree.

    cells: the biggest moves; more_cells: the others, None where there are none.
    scenarios is None where only one was asked, weeks where no week could be held out.
    """

    scenario: str
    words: BudgetWords
    facts: tuple[tuple[str, str], ...]
    figure: Figure
    channels: PrintedTable
    cells: PrintedTable
    more_cells: PrintedTable | None
    more_summary: str
    scenarios: PrintedTable | None
    weeks: PrintedTable | None
    totals_hint: str = wording.TOTALS_HINT
    backtest_hint: str = wording.BACKTEST_HINT


@dataclass(frozen=True)
class _Budget:
    """The rows of one scenario; `decimals` of its revenue."""

    totals: tuple[BudgetTotal, ...]
    shop: BudgetTotal
    cells: tuple[BudgetCell, ...]
    weeks: tuple[HeldOutWeek, ...]
    currency: str
    decimals: int

    @property
    def channels(self) -> list[BudgetTotal]:
        return [t for t in self.totals if t.scope == "channel" and t.scenario == self.shop.scenario]


def budget_words(night: Night) -> BudgetWords | None:
    """Return the sentences of the scenario that is nearest to today's total, or None without rows."""
    budget = _budget(night)
    return None if budget is None else _words(budget)


def budget_decisions(night: Night) -> BudgetDecisions | None:
    """Return the budget of the scenario that is nearest to today's total, or None without rows."""
    budget = _budget(night)
    if budget is None:
        return None
    cells, shop = budget.cells, budget.shop
    unit = f"{budget.currency} per day" if budget.currency else "per day, in units of the currency"
    scenarios = [total for total in budget.totals if total.scope == "shop"]
    return BudgetDecisions(
        scenario=shop.scenario,
        words=_words(budget),
        facts=_facts(budget),
        figure=Figure(
            svg=budget_moves(cells, axis=f"spend, {unit}"),
            name=f"Spend today and recommended, biggest moves first, {min(CELLS_DRAWN, len(cells))} budget "
            "lines; the table below has the numbers",
            conclusion=wording.moves_conclusion(*_ends(cells)),
            keys=KEYS,
        ),
        channels=_sums_table(f"Channels, {unit}", "Channel", budget.channels, shop, budget.decimals),
        cells=_cells_table(
            f"Budget lines, {unit} with spend, the biggest move first", cells[:CELLS_OPEN], budget, total=shop
        ),
        more_cells=_cells_table(
            f"Budget lines, {unit} with spend, the smaller moves", cells[CELLS_OPEN:], budget
        )
        if len(cells) > CELLS_OPEN
        else None,
        more_summary=wording.more_lines(len(cells) - CELLS_OPEN),
        scenarios=_sums_table(f"Scenarios, {unit}", "Scenario", scenarios, None, budget.decimals)
        if len(scenarios) > 1
        else None,
        weeks=_weeks_table(f"Held-out weeks, {unit}, the newest first", budget) if budget.weeks else None,
    )


def _budget(night: Night) -> _Budget | None:
    totals = budget_totals(night.rows(TOTALS))
    shop = main_total(totals)
    everything = budget_cells(night.rows(LINES))
    if shop is None or not everything:
        return None
    cells = tuple(cell for cell in everything if cell.scenario == shop.scenario)
    weeks = held_out_weeks(night.rows(BACKTEST))
    return _Budget(totals, shop, cells, weeks, night.manifest.currency, _revenue_decimals(cells))


def _words(budget: _Budget) -> BudgetWords:
    shop, has_moves = budget.shop, budget.shop.n_moved > 0
    current, recommended = (
        _money(cents(amount), budget)
        for amount in (shop.daily_spend_current_cents, shop.daily_spend_recommended_cents)
    )
    same_total = shop.daily_spend_current_cents == shop.daily_spend_recommended_cents
    prices = {cell.shadow_price for cell in budget.cells if cell.shadow_price is not None}
    gaps = {cell.certified_gap for cell in budget.cells if cell.certified_gap is not None}
    limits = [
        wording.limits(shop.n_at_limit, shop.n_cells, share(shop.move_limit)),
        wording.refused(shop.n_refused, shop.n_cells),
    ]
    misses = {name: mean_miss(budget.weeks, name) for name in METHODS}
    return BudgetWords(
        decision=wording.decision(
            _money(cents(moved_cents(budget.cells)), budget),
            current,
            recommended,
            n_moved=shop.n_moved,
            n_lines=shop.n_cells,
        ),
        gain=wording.gain(
            _money(_revenue(shop.gain_cents, budget, signed=True), budget),
            _between(shop.gain_lower_cents, shop.gain_upper_cents, budget, signed=True),
            has_moves=has_moves,
            crosses_zero=shop.gain_lower_cents <= 0 <= shop.gain_upper_cents,
            same_total=same_total,
        ),
        expectation=wording.expectation(
            _estimate(*_today(shop), budget), _estimate(*_planned(shop), budget), has_moves=has_moves
        ),
        limits=" ".join(filter(None, limits)),
        backtest=wording.backtest(
            {name: share(miss) for name, miss in misses.items() if miss is not None},
            len(budget.weeks),
            is_cautious=shop.is_cautious,
            limit=share(shop.move_limit),
        ),
        last_week=_last_week(budget),
        certificate=wording.certificate(
            share(max(*gaps, SMALLEST_PRINTED_GAP)) if gaps else None, ratio(max(prices)) if prices else None
        ),
        late=tuple(
            wording.late(channel, until, n_days)
            for channel, (until, n_days) in late_channels(budget.cells).items()
        ),
    )


def _last_week(budget: _Budget) -> str:
    if not budget.weeks:
        return ""
    week = budget.weeks[0]
    return wording.last_week(
        week.first,
        week.last,
        _money(_revenue(week.predicted_cents, budget), budget),
        _money(_revenue(week.earned_cents, budget), budget),
        share(week.miss_share, signed=True),
    )


def _facts(budget: _Budget) -> tuple[tuple[str, str], ...]:
    shop = budget.shop
    change = "unchanged" if shop.change_cents == 0 else f"then {cents(shop.daily_spend_recommended_cents)}"
    today, planned = _estimate(*_today(shop), budget), _estimate(*_planned(shop), budget)
    return (
        ("Total spend a day", f"{_money(cents(shop.daily_spend_current_cents), budget)}, {change}"),
        ("Expected revenue a day", f"{today} at today's spend, {planned} by the plan"),
        (
            "Gain a day",
            f"{_money(_revenue(shop.gain_cents, budget, signed=True), budget)} "
            f"({_between(shop.gain_lower_cents, shop.gain_upper_cents, budget, signed=True)})",
        ),
        ("Budget lines that stop at a limit", f"{shop.n_at_limit:,} of {shop.n_cells:,}"),
    )


def _ends(cells: Sequence[BudgetCell]) -> tuple[str, str]:
    gains = [cell.name for cell in cells if cell.change_cents > 0]
    losses = [cell.name for cell in cells if cell.change_cents < 0]
    return (gains[0] if gains else "", losses[0] if losses else "")


def _cells_table(
    caption: str, cells: Sequence[BudgetCell], budget: _Budget, total: BudgetTotal | None = None
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
    whys = [cell.reason_text for cell in cells]
    above = _total_row(total, budget.decimals) if total else None
    return first_rows(caption, columns, rows, LINES, total=above, whys=whys, shown=CELLS_FOLDED)


def _total_row(total: BudgetTotal, decimals: int) -> tuple[Cell, ...]:
    return (
        text("All lines, all days"),
        Cell(""),
        *_spend_cells(
            total.daily_spend_current_cents, total.daily_spend_recommended_cents, total.change_share
        ),
        _estimated(*_planned(total), decimals),
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
            _estimated(*_planned(line), decimals),
            measured(f"{line.n_at_limit:,} of {line.n_cells:,}", line.n_at_limit),
        )

    rows = [
        row(line, line.channel if line.scope == "channel" else line.scenario, bar)
        for line, bar in zip(sums, bars, strict=False)
    ]
    above = row(total, "All lines", bars[-1]) if total else None
    return first_rows(caption, columns, rows, TOTALS, total=above)


def _weeks_table(caption: str, budget: _Budget) -> PrintedTable:
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
            measured(_fixed(week.earned_cents, budget.decimals), week.earned_cents),
            measured(_fixed(week.predicted_cents, budget.decimals), week.predicted_cents),
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


def _today(total: BudgetTotal) -> tuple[int, int, int]:
    return (
        total.daily_revenue_current_cents,
        total.daily_revenue_current_lower_cents,
        total.daily_revenue_current_upper_cents,
    )


def _planned(total: BudgetTotal) -> tuple[int, int, int]:
    return (
        total.daily_revenue_expected_cents,
        total.daily_revenue_lower_cents,
        total.daily_revenue_upper_cents,
    )


def _estimated(value: int | None, lower: int | None, upper: int | None, decimals: int) -> Cell:
    if value is None or lower is None or upper is None:
        return text(None)
    middle, *ends = (_fixed(amount, decimals) for amount in (value, lower, upper))
    return measured(f"{middle} ({' to '.join(ends)})", value)


def _signed_estimate(value: int, lower: int, upper: int, decimals: int) -> str:
    middle, *ends = (_fixed(amount, decimals, signed=True) for amount in (value, lower, upper))
    return f"{middle} ({' to '.join(ends)})"


def _estimate(value: int, lower: int, upper: int, budget: _Budget) -> str:
    return f"{_money(_revenue(value, budget), budget)} ({_between(lower, upper, budget)})"


def _between(lower: int, upper: int, budget: _Budget, *, signed: bool = False) -> str:
    return " to ".join(_revenue(end, budget, signed=signed) for end in (lower, upper))


def _revenue(amount: int, budget: _Budget, *, signed: bool = False) -> str:
    return _fixed(amount, budget.decimals, signed=signed)


def _fixed(amount: int, decimals: int, *, signed: bool = False) -> str:
    return fixed(amount / 100, decimals, signed=signed)


def _money(amount: str, budget: _Budget) -> str:
    return f"{amount} {budget.currency}".rstrip()


def _revenue_decimals(cells: Sequence[BudgetCell]) -> int:
    """Return 0 where a typical line earns a hundred units or more: its interval is wider than cents."""
    known = [cell.expected_revenue_cents for cell in cells if cell.expected_revenue_cents is not None]
    return 0 if known and median(known) >= 10_000 else 2


_SPEND = ("Today#", "Recommended#", "Change#")
