"""Rows that the night did not load or count, as lines for the terminal: rejected, superseded, restated."""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from features.contracts.findings import Finding, finding, from_json
from features.warehouse.quality import OF_WHOLE_FILES
from reports.wording.sentences import say

MOST_LINES = 12


def quality_lines(quality: pl.DataFrame, most: int = MOST_LINES) -> Iterator[str]:
    """Yield a line for each rule that concerned rows of a file, the most rejected lines first.

    Before them stands what concerns whole files: rows whose pseudonyms are of another key, and files that
    nothing reads.

    quality: out_data_quality. A file has no line here if each of its lines was loaded and counts.
    """
    noticed = quality.filter(~pl.col("reason_codes").is_in(list(OF_WHOLE_FILES))).sort(
        pl.col("reason_codes").is_in(["other_key", "unread_files"]),
        "n_rejected",
        "source_name",
        "rule",
        descending=[True, True, False, False],
    )
    for row in noticed.head(most).iter_rows(named=True):
        yield f"{row['source_name']}: {say(_in_all(row))}"
    if noticed.height > most:
        yield say([finding("more_rows", "out_data_quality", n_rows=noticed.height - most)])


def _in_all(row: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Return what was found, with the number of lines that it cost."""
    found = from_json(row["findings"])
    if not row["n_rejected"]:
        return found
    lost = {"n_rejected": row["n_rejected"], "n_lines": row["n_rows"]}
    return (Finding("lines_rejected", row["source_name"], lost, found),)
