"""What the report says of mails: the subject lines of each segment."""

from reports.pages.area_part import AreaPart, Printed, Section
from reports.pages.cells import shared, text
from reports.summaries.formatting import RewardFormat
from reports.summaries.night import Night
from reports.summaries.printed_table import Column, first_rows
from reports.wording.catalog import Catalog


def sections(night: Night, _reward: RewardFormat, catalog: Catalog) -> tuple[Section, ...]:
    """Return which subject line a segment is sent, the likeliest first."""
    found = night.rows("out_mail_subjects").sort("segment_id", "probability", descending=[False, True])
    rows = [
        (
            text(row["segment_id"], catalog),
            text(row["subject_id"], catalog),
            shared(row["probability"], catalog, drawn=True),
        )
        for row in found.iter_rows(named=True)
    ]
    if not rows:
        return ()
    columns = (Column("Segment"), Column("Subject line"), Column("Probability", "number"))
    table = first_rows("Subject lines by segment", columns, rows, "out_mail_subjects")
    return (Section("Mails", (Printed(table),)),)


PART = AreaPart(sections)
