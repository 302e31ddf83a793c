"""What loops have shown, by true value: a row for each world and way."""

from collections.abc import Sequence
from statistics import fmean

import polars as pl

from flows.simulations.loop.run import LoopDay

LAST = 5
"""Days at the end of a loop that its outcome is the mean of: single days vary."""

NOTHING = 1e-9
"""Share of the first policy's value up to which a gain of the oracle is rounding."""


def loop_table(days: Sequence[LoopDay]) -> pl.DataFrame:
    """Return one row for each world and way: means over shops and the last days of their loops.

    gap_closed: (served - first) / (oracle - first), of the means, all with the same share of uniform slates;
    None where the oracle gains nothing.
    worst_shop: least mean of a shop's served over first_explored, less 1, over all its nights. covered: share
    of nights whose interval of what serves holds the truth, over the nights that have one.
    """
    groups: dict[tuple[str, str], list[LoopDay]] = {}
    for day in days:
        groups.setdefault((day.world, day.way), []).append(day)
    return pl.DataFrame([_row(*key, of_way) for key, of_way in groups.items()], infer_schema_length=None)


def _row(world: str, way: str, days: Sequence[LoopDay]) -> dict[str, str | int | float | None]:
    nights = max(day.night for day in days)
    last = [day for day in days if day.night > nights - LAST]
    served, first = fmean(day.served for day in last), fmean(day.first_explored for day in last)
    oracle = fmean(day.oracle for day in last)
    shops = [[day for day in days if day.seed == seed] for seed in sorted({day.seed for day in days})]
    ratios = [
        fmean(day.served for day in shop) / fmean(day.first_explored for day in shop) - 1.0 for shop in shops
    ]
    inside = [
        day.lower <= day.truth <= day.upper
        for day in days
        if day.lower is not None and day.upper is not None and day.truth is not None
    ]
    return {
        "world": world,
        "way": way,
        "shops": len(shops),
        "nights": nights,
        "served": served,
        "first": fmean(day.first for day in last),
        "first_explored": first,
        "oracle": oracle,
        "gap_closed": (served - first) / (oracle - first) if oracle - first > NOTHING * first else None,
        "mean_shop": fmean(ratios),
        "worst_shop": min(ratios),
        "promotions": sum(day.verdict == "promote" for day in days),
        "covered": fmean(inside) if inside else None,
    }


def as_markdown(table: pl.DataFrame) -> str:
    """Return the table for a terminal and a page."""
    shown = table.with_columns(pl.col(pl.Float64).round(4))
    head = f"| {' | '.join(shown.columns)} |\n|{'---|' * shown.width}"
    lines = [
        f"| {' | '.join('' if value is None else str(value) for value in row)} |" for row in shown.rows()
    ]
    return "\n".join([head, *lines, ""])
