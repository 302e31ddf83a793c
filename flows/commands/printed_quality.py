"""Rows that the night did not load or count, as lines for the terminal: rejected, superseded, restated."""

from collections.abc import Iterator

import polars as pl

from features.warehouse.quality import RECONCILED

MOST_LINES = 12


def quality_lines(quality: pl.DataFrame, most: int = MOST_LINES) -> Iterator[str]:
    """Yield a line for each rule that concerned rows of a file, the most rejected lines first.

    quality: out_data_quality. A file has no line here if each of its lines was loaded and counts.
    """
    noticed = quality.filter(pl.col("rule") != RECONCILED).sort(
        "n_rejected", "source_name", "rule", descending=[True, False, False]
    )
    for row in noticed.head(most).iter_rows(named=True):
        lost = f"{row['n_rejected']:,} of {row['n_rows']:,} lines rejected: " if row["n_rejected"] else ""
        yield f"{row['source_name']}: {lost}{row['reason']}"
    if noticed.height > most:
        yield f"and {noticed.height - most:,} more in out_data_quality"
