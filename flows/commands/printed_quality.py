"""What the night's logs lost on their way in, as lines for the terminal: rejected, superseded, restated."""

from collections.abc import Iterator

import polars as pl

from features.warehouse.quality import RECONCILED

MOST_LINES = 12


def quality_lines(quality: pl.DataFrame, most: int = MOST_LINES) -> Iterator[str]:
    """Yield a line for each thing that a file's rows met, the most lines refused first.

    quality: out_data_quality. Files of which every line was loaded and counts have none.
    """
    noticed = quality.filter(pl.col("rule") != RECONCILED).sort(
        "n_rejected", "source_name", "rule", descending=[True, False, False]
    )
    for row in noticed.head(most).iter_rows(named=True):
        lost = f"{row['n_rejected']:,} of {row['n_rows']:,} lines rejected: " if row["n_rejected"] else ""
        yield f"{row['source_name']}: {lost}{row['reason']}"
    if noticed.height > most:
        yield f"and {noticed.height - most:,} more in out_data_quality"
