"""The page of `metacart loop`: goals first, then what each way to run a shop has earned, world by world."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from reports.charts.nightly_values import ValueLine, nightly_values
from reports.pages.cells import counted, heads, measured, shared, text
from reports.pages.figure import Figure, Key, reward_axis
from reports.pages.marks import GOALS
from reports.render import render
from reports.summaries.formatting import RATE, RewardFormat
from reports.summaries.loop_outcome import LoopOutcome, WayRow, WorldOutcome
from reports.summaries.printed_table import Cell, Column, Mark, PrintedTable
from reports.wording.catalog import Catalog
from reports.wording.language import LANGUAGE
from reports.wording.loop import chart_found, coverage_found, goal_asked, goal_found

CLICKS = RewardFormat(RATE, 100.0, 2)
"""How values are written: clicks per round, of which a few hundredths of a percent matter."""

Look = tuple[Literal["candidate", "baseline", "other", "truth"], Literal["solid", "dashed"]]

ROUNDED = 9
"""Decimals of percentages that a chart draws: where all policies earn the same, the rest is rounding."""

LOOKS: dict[str, Look] = {
    "metacart": ("candidate", "solid"),
    "no_exploration": ("candidate", "dashed"),
    "pooled": ("baseline", "solid"),
    "thompson": ("baseline", "dashed"),
    "first": ("other", "dashed"),
    "oracle": ("truth", "dashed"),
}
"""Color and dash of each line; metacart's two have one color, and so have the simpler ways."""


@dataclass(frozen=True)
class GoalLine:
    """A goal on the page: its mark and word, what is asked for and what was found."""

    mark: Mark
    word: str
    asked: str
    found: str


@dataclass(frozen=True)
class WorldPart:
    """A world on the page; the figure and its numbers are None where the ways have no shop in common."""

    world: str
    title: str
    figure: Figure | None
    numbers: PrintedTable | None
    ways: PrintedTable
    closed_line: str
    closed: PrintedTable | None


def write_loop(outcome: LoopOutcome, path: Path) -> None:
    """Write the page, one HTML file that needs nothing beside it."""
    path.write_text(loop_html(outcome), encoding="utf-8", newline="\n")


def goals_markdown(outcome: LoopOutcome, *, catalog: Catalog = LANGUAGE) -> str:
    """Return the page's title, setting and goals as Markdown, for a terminal and beside the code."""
    title, setting = catalog.text("loop.title"), _setting(outcome, catalog)
    lines = [
        f"- {line.mark.symbol} {line.word}. {line.asked} {line.found}" for line in _goals(outcome, catalog)
    ]
    return "\n".join([f"# {title}", "", setting, "", *lines, ""])


def loop_html(outcome: LoopOutcome, *, catalog: Catalog = LANGUAGE) -> str:
    """Return the page as HTML; equal outcomes give equal text."""
    judged = [goal for goal in outcome.goals if goal.judgement != "not_judged"]
    return render(
        "loop.html.j2",
        catalog,
        with_script=False,
        lead=catalog.text(
            "loop.lead",
            n_met=sum(goal.judgement == "met" for goal in judged),
            n_judged=len(judged),
            n_open=len(outcome.goals) - len(judged),
        ),
        setting=_setting(outcome, catalog),
        goals=_goals(outcome, catalog),
        worlds=[_world(world, catalog) for world in outcome.worlds],
        limits=(
            catalog.text("loop.limit.same_exploring"),
            catalog.text("loop.limit.gap", n_last=outcome.n_last),
            catalog.text("loop.limit.stock"),
            catalog.text("loop.limit.pooled"),
        ),
    )


def _setting(outcome: LoopOutcome, catalog: Catalog) -> str:
    return catalog.text("loop.setting", n_users=outcome.users, n_days=outcome.first_days)


def _goals(outcome: LoopOutcome, catalog: Catalog) -> list[GoalLine]:
    return [
        GoalLine(
            GOALS[goal.judgement],
            catalog.text(f"goal.judgement.{goal.judgement}"),
            goal_asked(goal, catalog),
            goal_found(goal, catalog),
        )
        for goal in outcome.goals
    ]


def _world(world: WorldOutcome, catalog: Catalog) -> WorldPart:
    title = catalog.text("loop.title.world", world=world.world)
    if not any(row.way == "metacart" for row in world.rows):
        closed_line = catalog.text("loop.without_metacart")
    elif world.n_closed:
        closed_line = catalog.text("loop.closed", n_closed=world.n_closed)
    else:
        closed_line = catalog.text("loop.none_closed")
    return WorldPart(
        world=world.world,
        title=title,
        figure=_figure(world, catalog),
        numbers=_numbers_table(world, catalog) if world.lines else None,
        ways=_ways_table(world, catalog),
        closed_line=closed_line,
        closed=_closed_table(world, catalog) if world.closed else None,
    )


def _figure(world: WorldOutcome, catalog: Catalog) -> Figure | None:
    if not world.lines:
        return None
    lines = [
        ValueLine(line.name, *LOOKS[line.name], tuple(round(100.0 * value, ROUNDED) for value in line.values))
        for line in world.lines
    ]
    return Figure(
        svg=nightly_values(
            lines,
            catalog.numbers,
            x=catalog.text("axis.night"),
            y=reward_axis(CLICKS, catalog),
            jump=world.jump,
        ),
        name=catalog.text("figure.nightly", n_lines=len(lines)),
        conclusion=chart_found(world, catalog),
        keys=tuple(Key(line.shape, line.tone, catalog.text(f"way.{line.name}")) for line in lines),
    )


def _ways_table(world: WorldOutcome, catalog: Catalog) -> PrintedTable:
    columns = heads(
        catalog,
        "way",
        "shops#",
        "nights#",
        "served#",
        "first_explored#",
        "oracle#",
        "gap_closed#",
        "mean_of_shops#",
        "worst_shop#",
        "promotions#",
        "coverage#",
    )
    rows = tuple(_way_cells(row, catalog) for row in world.rows)
    return PrintedTable(catalog.text("caption.ways", world=world.world), columns, rows, source="")


def _way_cells(row: WayRow, catalog: Catalog) -> tuple[Cell, ...]:
    gates = row.way in ("metacart", "no_exploration")
    return (
        text(catalog.text(f"way.{row.way}"), catalog),
        counted(row.shops, catalog),
        counted(row.nights, catalog),
        *(_value(value, catalog) for value in (row.served, row.first_explored, row.oracle)),
        shared(row.gap_closed, catalog),
        shared(row.mean_shop, catalog, signed=True),
        shared(row.worst_shop, catalog, signed=True),
        counted(row.promotions if gates else None, catalog),
        measured(coverage_found(row.coverage, catalog), row.coverage.share if row.coverage else None),
    )


def _numbers_table(world: WorldOutcome, catalog: Catalog) -> PrintedTable:
    columns = (
        *heads(catalog, "night"),
        *(Column(catalog.text(f"way.{line.name}"), "number") for line in world.lines),
    )
    rows = tuple(
        (counted(night, catalog), *(_value(line.values[night - 1], catalog) for line in world.lines))
        for night in range(1, world.n_nights + 1)
    )
    return PrintedTable(catalog.text("caption.by_night", world=world.world), columns, rows, source="")


def _closed_table(world: WorldOutcome, catalog: Catalog) -> PrintedTable:
    rows = tuple(
        (Cell(gate.code), counted(gate.n_nights, catalog), shared(gate.n_nights / world.n_closed, catalog))
        for gate in world.closed
    )
    columns = heads(catalog, "reason", "nights#", "share_of_nights#")
    return PrintedTable(catalog.text("caption.closed", world=world.world), columns, rows, source="")


def _value(value: float, catalog: Catalog) -> Cell:
    return measured(catalog.numbers.reward(CLICKS, value), value)
