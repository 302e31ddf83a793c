"""Data quality: what was read, what was refused and why."""

from dataclasses import dataclass

from reports.pages.cells import counted, heads, is_right, shared, text
from reports.summaries.data_quality import RuleCount, rule_counts, sources_that_lost_lines
from reports.summaries.night import Night
from reports.summaries.printed_table import Cell, PrintedTable, first_rows
from reports.wording.catalog import Catalog
from reports.wording.overview import quality_conclusion
from reports.wording.sentences import say


@dataclass(frozen=True)
class DataQualityPage:
    """A conclusion and the table; None without rows."""

    conclusion: str
    table: PrintedTable


def data_quality(night: Night, catalog: Catalog) -> DataQualityPage | None:
    """Return what the night says of its inputs."""
    counts = rule_counts(night.rows("out_data_quality"))
    if not counts:
        return None
    lost = sources_that_lost_lines(counts)
    refusing = {count.source_name for count in counts if count.n_rejected}
    example_head = ("example…",) if any(count.example for count in counts) else ()
    columns = heads(
        catalog,
        "source",
        "rule",
        "lines#",
        "loaded#",
        "rejected#",
        "rejected_share#",
        "adds_up",
        "wrong…",
        *example_head,
    )
    return DataQualityPage(
        conclusion=quality_conclusion(
            len({count.source_name for count in counts}), len(refusing), len(lost), catalog
        ),
        table=first_rows(
            catalog.text("caption.quality"),
            columns,
            [
                (
                    *_row(count, catalog, has_lost=count.source_name in lost),
                    *((text(count.example, catalog),) if example_head else ()),
                )
                for count in counts
            ],
            "out_data_quality",
        ),
    )


def _row(rule: RuleCount, catalog: Catalog, *, has_lost: bool) -> tuple[Cell, ...]:
    adds_up = Cell(catalog.text("quality.in_part"))
    if rule.adds_up or has_lost:
        adds_up = is_right(not has_lost, catalog)
    return (
        text(rule.source_name, catalog),
        text(rule.rule, catalog),
        counted(rule.n_rows, catalog),
        counted(rule.n_loaded, catalog),
        counted(rule.n_rejected, catalog),
        shared(rule.rejected_share, catalog),
        adds_up,
        text(say(rule.findings, catalog=catalog), catalog),
    )
