"""out_ad_targeting → the creatives that each segment sees most on each channel."""

from dataclasses import dataclass

import polars as pl

TOP_CREATIVES = 2


@dataclass(frozen=True)
class Creative:
    """One creative of a campaign for one segment on one channel."""

    segment_id: str
    channel: str
    campaign_id: str
    creative_id: str
    probability: float | None
    score: float | None
    ess: float | None
    fallback_level: str


def top_creatives(rows: pl.DataFrame) -> tuple[Creative, ...]:
    """Return the most probable creatives per segment, campaign and channel, best evidence first."""
    place = ["segment_id", "campaign_id", "channel"]
    ranked = (
        rows.sort([*place, "probability", "creative_id"], descending=[False, False, False, True, False])
        .group_by(place, maintain_order=True)
        .head(TOP_CREATIVES)
        .with_columns(evidence=pl.col("ess").max().over(place))
        .sort(
            "evidence",
            *place,
            "probability",
            "creative_id",
            descending=[True, False, False, False, True, False],
        )
    )
    return tuple(Creative(**row) for row in ranked.select(list(Creative.__dataclass_fields__)).to_dicts())
