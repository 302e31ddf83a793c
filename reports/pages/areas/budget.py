"""What will be spent: the gain with its interval, sums per channel, moves per line, and the back-test."""

from collections.abc import Iterator, Sequence

from reports.charts.budget_moves import CELLS_DRAWN, budget_moves
from reports.pages.area_part import (
    AreaPart,
    Block,
    Card,
    Drawn,
    Facts,
    Notice,
    Pairs,
    Paragraph,
    Printed,
    Section,
)
from reports.pages.budget_words import (
    BACKTEST,
    LINES,
    TOTALS,
    Budget,
    BudgetWords,
    between,
    budget_words,
    estimate,
    money,
    planned,
    read_budget,
    revenue,
    today,
    words_of,
)
from reports.pages.cells import heads, marked, measured, ratioed, shared, text
from reports.pages.figure import Figure, Key
from reports.pages.marks import BUDGET_STATUS
from reports.summaries.budget import METHODS, BudgetCell, BudgetTotal, mean_miss
from reports.summaries.formatting import RewardFormat
from reports.summaries.night import Night
from reports.summaries.printed_table import (
    Cell,
    Column,
    IntervalBar,
    PrintedTable,
    first_rows,
    interval_bars,
)
from reports.wording.budget import moves_conclusion
from reports.wording.catalog import Catalog

CELLS_OPEN = 15
CELLS_FOLDED = 200


def sections(night: Night, _reward: RewardFormat, catalog: Catalog) -> tuple[Section, ...]:
    """Return the budget of the scenario that is nearest to today's total, with tables whose totals agree."""
    budget = read_budget(night, catalog)
    if budget is None:
        return ()
    words = words_of(budget)
    return (
        Section(
            catalog.text("budget.title"),
            (
                Paragraph(catalog.paragraph(words.decision, words.gain), is_decision=True),
                Facts(_facts(budget)),
                Paragraph(catalog.paragraph(words.limits, words.backtest)),
                *map(Notice, words.late),
                Drawn(_moves(budget)),
                *_tables(budget),
                Paragraph(_below_the_tables(budget, words)),
                *_weeks(budget, words),
            ),
        ),
    )


def card(night: Night, catalog: Catalog) -> Card | None:
    """Return the budget as the overview has it, None where nothing was decided."""
    words = budget_words(night, catalog)
    if words is None:
        return None
    return Card(
        catalog.text("budget.title"),
        catalog.text("budget.what"),
        words.decision,
        (
            catalog.paragraph(words.gain, words.expectation),
            words.limits,
            catalog.paragraph(words.backtest, words.last_week),
            *words.late,
        ),
    )


def cautions(night: Night, catalog: Catalog) -> tuple[str, ...]:
    """Return that curves of spend are no experiments, where lines rest on them."""
    return () if night.rows(LINES).is_empty() else (catalog.text("caution.spend"),)


def lines(night: Night, catalog: Catalog) -> tuple[str, ...]:
    """Return the same sentences for the terminal, none where nothing was decided."""
    words = budget_words(night, catalog)
    if words is None:
        return ()
    evidence = catalog.paragraph(words.backtest, words.last_week)
    below = (words.expectation, words.limits, evidence, *words.late)
    first = catalog.paragraph(words.decision, words.gain)
    return catalog.text("budget.on_terminal", sentences=first), *(f"  {line}" for line in below)


def _below_the_tables(budget: Budget, words: BudgetWords) -> str:
    catalog = budget.catalog
    scenario = catalog.text("budget.scenario", scenario=budget.shop.scenario)
    return catalog.paragraph(catalog.text("budget.totals_hint"), words.certificate, scenario)


def _unit(budget: Budget) -> str:
    if not budget.currency:
        return budget.catalog.text("budget.unit_unknown")
    return budget.catalog.text("budget.unit", currency=budget.currency)


def _moves(budget: Budget) -> Figure:
    """Return a chart of the biggest moves."""
    cells, catalog = budget.cells, budget.catalog
    return Figure(
        svg=budget_moves(cells, catalog.numbers, axis=catalog.text("axis.spend", unit=_unit(budget))),
        name=catalog.text("figure.moves", n_lines=min(CELLS_DRAWN, len(cells))),
        conclusion=moves_conclusion(*_ends(cells), catalog),
        keys=(
            Key("ring", "other", catalog.text("key.spend_today")),
            Key("right", "candidate", catalog.text("key.more")),
            Key("left", "baseline", catalog.text("key.less")),
        ),
    )


def _tables(budget: Budget) -> Iterator[Printed]:
    """Yield channels, the biggest moves, the others folded, and scenarios where several were asked."""
    cells, shop, catalog = budget.cells, budget.shop, budget.catalog
    unit = _unit(budget)
    caption = catalog.text("caption.channels", unit=unit)
    yield Printed(_sums_table(caption, "channel", budget.channels, shop, budget))
    caption = catalog.text("caption.biggest_moves", unit=unit)
    yield Printed(_cells_table(caption, cells[:CELLS_OPEN], budget, total=shop))
    if len(cells) > CELLS_OPEN:
        caption = catalog.text("caption.smaller_moves", unit=unit)
        more = catalog.text("budget.more_lines", n_lines=len(cells) - CELLS_OPEN)
        yield Printed(_cells_table(caption, cells[CELLS_OPEN:], budget), more)
    scenarios = [total for total in budget.totals if total.scope == "shop"]
    if len(scenarios) > 1:
        caption = catalog.text("caption.scenarios", unit=unit)
        yield Printed(_sums_table(caption, "scenario", scenarios, None, budget))


def _weeks(budget: Budget, words: BudgetWords) -> Iterator[Block]:
    """Yield the held-out weeks, nothing where none could be held out."""
    if budget.weeks:
        yield Paragraph(words.last_week)
        yield Printed(_weeks_table(budget))
        yield Paragraph(budget.catalog.text("budget.backtest_hint"))


def _facts(budget: Budget) -> Pairs:
    shop, catalog = budget.shop, budget.catalog
    spend = money(catalog.numbers.cents(shop.daily_spend_current_cents), budget)
    then = catalog.numbers.cents(shop.daily_spend_recommended_cents)
    gain = money(revenue(shop.gain_cents, budget, signed=True), budget)
    ends = between(shop.gain_lower_cents, shop.gain_upper_cents, budget, signed=True)
    now, planned_revenue = estimate(*today(shop), budget), estimate(*planned(shop), budget)
    return (
        (
            catalog.text("budget.fact.spend"),
            catalog.text("budget.fact.spend_then", spend=spend, then=then)
            if shop.change_cents
            else catalog.text("budget.fact.spend_unchanged", spend=spend),
        ),
        (
            catalog.text("budget.fact.revenue"),
            catalog.text("budget.fact.revenue_then", now=now, then=planned_revenue),
        ),
        (catalog.text("budget.fact.gain"), catalog.numbers.with_interval(gain, ends)),
        (catalog.text("budget.fact.limit"), _at_limit(shop, catalog)),
    )


def _at_limit(total: BudgetTotal, catalog: Catalog) -> str:
    return catalog.text("some_of", n_some=total.n_at_limit, n_all=total.n_cells)


def _ends(cells: Sequence[BudgetCell]) -> tuple[str, str]:
    gains = [cell.name for cell in cells if cell.change_cents > 0]
    losses = [cell.name for cell in cells if cell.change_cents < 0]
    return (gains[0] if gains else "", losses[0] if losses else "")


def _cells_table(
    caption: str, cells: Sequence[BudgetCell], budget: Budget, total: BudgetTotal | None = None
) -> PrintedTable:
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
    whys = [cell.reason_text for cell in cells]
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


def _sums_table(
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
            measured(_at_limit(line, catalog), line.n_at_limit),
        )

    rows = [
        row(line, line.channel if line.scope == "channel" else line.scenario, bar)
        for line, bar in zip(sums, bars, strict=False)
    ]
    above = row(total, catalog.text("budget.all_lines"), bars[-1]) if total else None
    return first_rows(caption, columns, rows, TOTALS, total=above)


def _weeks_table(budget: Budget) -> PrintedTable:
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
    caption = catalog.text("caption.weeks", unit=_unit(budget))
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


_SPEND = ("today#", "recommended#", "change#")


PART: AreaPart = AreaPart(sections, card=card, cautions=cautions, lines=lines)
