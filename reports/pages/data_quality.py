"""Data quality: what was read, what was refused and why."""

from dataclasses import dataclass

from reports import wording
from reports.pages.cells import counted, heads, shared, text
from reports.summaries.data_quality import RuleCount, rule_counts, sources_that_lost_lines
from reports.summaries.night import Night
from reports.summaries.printed_table import Cell, Mark, PrintedTable, first_rows
from reports.wording.sentences import say


@dataclass(frozen=True)
class DataQualityPage:
    """A conclusion and the table; None without rows."""

    conclusion: str
    table: PrintedTable


def data_quality(night: Night) -> DataQualityPage | None:
    """Return what the night says of its inputs."""
    counts = rule_counts(night.rows("out_data_quality"))
    if not counts:
        return None
    lost = sources_that_lost_lines(counts)
    refusing = {count.source_name for count in counts if count.n_rejected}
    example_head = ("Example…",) if any(count.example for count in counts) else ()
    columns = heads(
        "Source",
        "Rule",
        "Lines#",
        "Loaded#",
        "Rejected#",
        "Rejected, share#",
        "Adds up",
        "What was wrong…",
        *example_head,
    )
    return DataQualityPage(
        conclusion=wording.quality_conclusion(
            len({count.source_name for count in counts}), len(refusing), len(lost)
        ),
        table=first_rows(
            "Lines per source and rule, most rejected first",
            columns,
            [
                (
                    *_row(count, has_lost=count.source_name in lost),
                    *((text(count.example),) if example_head else ()),
                )
                for count in counts
            ],
            "out_data_quality",
        ),
    )


def _row(rule: RuleCount, *, has_lost: bool) -> tuple[Cell, ...]:
    adds_up = Cell("in part")
    if rule.adds_up:
        adds_up = Cell("yes", mark=Mark("✓", "good"))
    if has_lost:
        adds_up = Cell("no", mark=Mark("✕", "bad"))
    return (
        text(rule.source_name),
        text(rule.rule),
        counted(rule.n_rows),
        counted(rule.n_loaded),
        counted(rule.n_rejected),
        shared(rule.rejected_share),
        adds_up,
        text(say(rule.findings)),
    )
