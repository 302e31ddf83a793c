"""out_segment_distributions → what visitors of each segment are shown, the likeliest items first."""

from dataclasses import dataclass

import polars as pl

# Items of a slot that the page shows; the table has all of them.
LIKELIEST = 3


@dataclass(frozen=True)
class ItemShare:
    """An item in a slot of a segment; probability: how many of its visitors see it there.

    score, score_lower, score_upper: reward per round.
    """

    segment_id: str
    surface: str
    slot_rank: int
    item_id: str
    item_name: str | None
    probability: float
    score: float | None
    score_lower: float | None
    score_upper: float | None
    fallback_level: str
    policy_version: str


def likeliest_items(rows: pl.DataFrame) -> tuple[ItemShare, ...]:
    """Return the likeliest items of every segment, surface and slot."""
    place = ["segment_id", "surface", "slot_rank"]
    ranked = (
        rows.sort([*place, "probability", "item_id"], descending=[False, False, False, True, False])
        .group_by(place, maintain_order=True)
        .head(LIKELIEST)
    )
    return tuple(ItemShare(**row) for row in ranked.select(list(ItemShare.__dataclass_fields__)).to_dicts())
