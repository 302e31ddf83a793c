"""What loops have shown, by true value: a row for each world and way."""

from collections.abc import Sequence
from dataclasses import asdict
from statistics import fmean

import polars as pl

from flows.simulations.loop.coverage import coverage
from flows.simulations.loop.gap import change, gap_closed, of_each_shop
from flows.simulations.loop.loop_day import LoopDay
from reports.summaries.loop_outcome import WayRow

LAST = 5
"""Days at the end of a loop that its outcome is the mean of: single days vary."""


def way_rows(days: Sequence[LoopDay]) -> list[WayRow]:
    """Return one row for each world and way, in the order of the days."""
    groups: dict[tuple[str, str], list[LoopDay]] = {}
    for day in days:
        groups.setdefault((day.world, day.way), []).append(day)
    return [_row(*key, of_way) for key, of_way in groups.items()]


def loop_table(days: Sequence[LoopDay]) -> pl.DataFrame:
    """Return the rows as a table; covered: the share of nights whose interval of what serves holds the truth.

    Each shop counts alike.
    """
    rows = [asdict(row) for row in way_rows(days)]
    for row in rows:
        found = row.pop("coverage")
        row["covered"] = found["share"] if found else None
    return pl.DataFrame(rows, infer_schema_length=None)


def last_nights(days: Sequence[LoopDay]) -> list[LoopDay]:
    """Return the days at the end of the loops."""
    nights = max(day.night for day in days)
    return [day for day in days if day.night > nights - LAST]


def _row(world: str, way: str, days: Sequence[LoopDay]) -> WayRow:
    last, shops = last_nights(days), of_each_shop(days)
    changes = [change(of_shop) for of_shop in shops]
    return WayRow(
        world=world,
        way=way,
        shops=len(shops),
        nights=max(day.night for day in days),
        served=fmean(day.served for day in last),
        first=fmean(day.first for day in last),
        first_explored=fmean(day.first_explored for day in last),
        oracle=fmean(day.oracle for day in last),
        gap_closed=gap_closed(last),
        mean_shop=fmean(changes),
        worst_shop=min(changes),
        promotions=sum(day.verdict == "promote" for day in days),
        coverage=coverage(days),
    )


def as_markdown(table: pl.DataFrame) -> str:
    """Return the table for a terminal and a page."""
    shown = table.with_columns(pl.col(pl.Float64).round(4))
    head = f"| {' | '.join(shown.columns)} |\n|{'---|' * shown.width}"
    lines = [
        f"| {' | '.join('' if value is None else str(value) for value in row)} |" for row in shown.rows()
    ]
    return "\n".join([head, *lines, ""])
