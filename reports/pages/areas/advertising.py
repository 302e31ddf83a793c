"""Which ads will be shown: the most probable creatives of each segment and channel."""

from reports.pages.area_part import AreaPart, Printed, Section
from reports.pages.cells import heads, measured, rounded, shared, text
from reports.summaries.ad_targeting import top_creatives
from reports.summaries.formatting import RewardFormat
from reports.summaries.night import Night
from reports.summaries.printed_table import first_rows


def sections(night: Night, reward: RewardFormat) -> tuple[Section, ...]:
    """Return which ads will be shown."""
    creatives = top_creatives(night.rows("out_ad_targeting"))
    if not creatives:
        return ()
    fitted = reward.resized([(creative.score, None, None) for creative in creatives])
    rows = [
        (
            text(creative.segment_id),
            text(creative.campaign_id),
            text(creative.channel),
            text(creative.creative_id),
            shared(creative.probability, drawn=True),
            measured(fitted.value(creative.score), creative.score),
            rounded(creative.ess),
            text(creative.fallback_level),
        )
        for creative in creatives
    ]
    columns = heads(
        "Segment",
        "Campaign",
        "Channel",
        "Creative",
        "Probability#",
        "Expected reward#",
        "ESS#",
        "Answered by",
    )
    caption = "The most probable creatives, best evidence first"
    return (Section("Ad targeting", (Printed(first_rows(caption, columns, rows, "out_ad_targeting")),)),)


PART: AreaPart = AreaPart(sections)
