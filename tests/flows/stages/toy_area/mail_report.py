"""What the report says of mails: the subject lines of each segment."""

from reports.pages.area_part import AreaPart, Printed, Section
from reports.pages.cells import heads, shared, text
from reports.summaries.formatting import RewardFormat
from reports.summaries.night import Night
from reports.summaries.printed_table import first_rows


def sections(night: Night, _reward: RewardFormat) -> tuple[Section, ...]:
    """Return which subject line a segment is sent, the likeliest first."""
    found = night.rows("out_mail_subjects").sort("segment_id", "probability", descending=[False, True])
    rows = [
        (text(row["segment_id"]), text(row["subject_id"]), shared(row["probability"], drawn=True))
        for row in found.iter_rows(named=True)
    ]
    if not rows:
        return ()
    columns = heads("Segment", "Subject line", "Probability#")
    table = first_rows("Subject lines by segment", columns, rows, "out_mail_subjects")
    return (Section("Mails", (Printed(table),)),)


PART = AreaPart(sections)
