"""Which ads will be shown: the most probable creatives of each segment and channel."""

from reports.pages.area_part import AreaPart, Printed, Section
from reports.pages.cells import heads, measured, rounded, shared, text
from reports.summaries.ad_targeting import top_creatives
from reports.summaries.formatting import RewardFormat
from reports.summaries.night import Night
from reports.summaries.printed_table import first_rows
from reports.wording.catalog import Catalog


def sections(night: Night, reward: RewardFormat, catalog: Catalog) -> tuple[Section, ...]:
    """Return which ads will be shown."""
    creatives = top_creatives(night.rows("out_ad_targeting"))
    if not creatives:
        return ()
    fitted = reward.resized([(creative.score, None, None) for creative in creatives])
    rows = [
        (
            text(creative.segment_id, catalog),
            text(creative.campaign_id, catalog),
            text(creative.channel, catalog),
            text(creative.creative_id, catalog),
            shared(creative.probability, catalog, drawn=True),
            measured(catalog.numbers.reward(fitted, creative.score), creative.score),
            rounded(creative.ess, catalog),
            text(catalog.text(f"fallback.{creative.fallback_level}"), catalog),
        )
        for creative in creatives
    ]
    columns = heads(
        catalog,
        "segment",
        "campaign",
        "channel",
        "creative",
        "probability#",
        "expected_reward#",
        "ess#",
        "answered_by",
    )
    table = first_rows(catalog.text("caption.creatives"), columns, rows, "out_ad_targeting")
    return (Section(catalog.text("advertising.title"), (Printed(table),)),)


PART: AreaPart = AreaPart(sections)
