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
from reports.pages.budget_tables import (
    cells_table,
    lines_at_limit,
    sums_table,
    weeks_table,
    written_unit,
)
from reports.pages.budget_words import (
    LINES,
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
from reports.pages.figure import Figure, Key
from reports.summaries.budget import BudgetCell
from reports.summaries.formatting import RewardFormat
from reports.summaries.night import Night
from reports.wording.budget import moves_conclusion
from reports.wording.catalog import Catalog

CELLS_OPEN = 15


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
    """Return that curves of spend are not experiments, where lines rest on them."""
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


def _moves(budget: Budget) -> Figure:
    """Return a chart of the biggest moves."""
    cells, catalog = budget.cells, budget.catalog
    return Figure(
        svg=budget_moves(cells, catalog.numbers, axis=catalog.text("axis.spend", unit=written_unit(budget))),
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
    unit = written_unit(budget)
    caption = catalog.text("caption.channels", unit=unit)
    yield Printed(sums_table(caption, "channel", budget.channels, shop, budget))
    caption = catalog.text("caption.biggest_moves", unit=unit)
    yield Printed(cells_table(caption, cells[:CELLS_OPEN], budget, total=shop))
    if len(cells) > CELLS_OPEN:
        caption = catalog.text("caption.smaller_moves", unit=unit)
        more = catalog.text("budget.more_lines", n_lines=len(cells) - CELLS_OPEN)
        yield Printed(cells_table(caption, cells[CELLS_OPEN:], budget), more)
    scenarios = [total for total in budget.totals if total.scope == "shop"]
    if len(scenarios) > 1:
        caption = catalog.text("caption.scenarios", unit=unit)
        yield Printed(sums_table(caption, "scenario", scenarios, None, budget))


def _weeks(budget: Budget, words: BudgetWords) -> Iterator[Block]:
    """Yield the held-out weeks, nothing where none could be held out."""
    if budget.weeks:
        yield Paragraph(words.last_week)
        yield Printed(weeks_table(budget))
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
        (catalog.text("budget.fact.limit"), lines_at_limit(shop, catalog)),
    )


def _ends(cells: Sequence[BudgetCell]) -> tuple[str, str]:
    gains = [cell.name for cell in cells if cell.change_cents > 0]
    losses = [cell.name for cell in cells if cell.change_cents < 0]
    return (gains[0] if gains else "", losses[0] if losses else "")


PART: AreaPart = AreaPart(sections, card=card, cautions=cautions, lines=lines)
