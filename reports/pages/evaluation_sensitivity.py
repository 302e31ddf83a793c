"""Estimated propensities: what becomes of a lead where hidden causes moved the odds of what was shown."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.pages.cells import heads, measured, ratioed, text
from reports.summaries.formatting import RewardFormat
from reports.summaries.printed_table import Cell, PrintedTable, first_rows, interval_bars
from reports.summaries.sensitivity import SensitivityRow
from reports.wording.catalog import Catalog

SOURCE = "out_sensitivity"


@dataclass(frozen=True)
class SensitivityEvidence:
    """The sentences about the factors that turn the verdict, and the table."""

    conclusions: tuple[str, ...]
    table: PrintedTable


def sensitivity_evidence(
    rows: Sequence[SensitivityRow], reward: RewardFormat, catalog: Catalog
) -> SensitivityEvidence | None:
    """Return the evidence, or None where propensities were logged."""
    if not rows:
        return None
    ends = [(row.bound_lower, row.lower, row.upper) for row in rows]
    reward = reward.resized(ends)
    bars = interval_bars([(_middle(row), row.lower, row.upper) for row in rows])
    cells: list[tuple[Cell, ...]] = [
        (
            text(row.other, catalog),
            ratioed(row.odds_factor, catalog),
            measured(_between(row.bound_lower, row.bound_upper, reward, catalog), row.bound_lower),
            measured(_between(row.lower, row.upper, reward, catalog), row.lower, bar),
        )
        for row, bar in zip(rows, bars, strict=True)
    ]
    columns = heads(catalog, "compared_with", "odds_factor#", "difference_within#", "difference_with_chance#")
    caption = catalog.text("caption.sensitivity", policy=rows[0].policy)
    turned = {row.other: _turned(row, catalog) for row in rows}
    return SensitivityEvidence(tuple(turned.values()), first_rows(caption, columns, cells, SOURCE))


def _middle(row: SensitivityRow) -> float | None:
    if row.bound_lower is None or row.bound_upper is None:
        return None
    return (row.bound_lower + row.bound_upper) / 2


def _turned(row: SensitivityRow, catalog: Catalog) -> str:
    names = {"policy": row.policy, "other": row.other}
    if row.tipping_factor is None:
        return catalog.text("sensitivity.never", **names)
    if row.tipping_factor == 1.0:
        return catalog.text("sensitivity.not_shown", **names)
    return catalog.text("sensitivity.up_to", factor=catalog.numbers.ratio(row.tipping_factor), **names)


def _between(lower: float | None, upper: float | None, reward: RewardFormat, catalog: Catalog) -> str:
    numbers = catalog.numbers
    if lower is None or upper is None:
        return numbers.missing
    return numbers.between(numbers.reward_change(reward, lower), numbers.reward_change(reward, upper))
