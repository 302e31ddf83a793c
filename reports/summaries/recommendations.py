"""out_recommendations → shares and averages per segment, surface and item; no row of a single user."""

from dataclasses import dataclass

import polars as pl

from reports.summaries.suppression import SMALLEST_GROUP

TOP_ITEMS = 3


@dataclass(frozen=True)
class Coverage:
    """How much was decided: rows, users (or segments where logs have none), items and surfaces."""

    n_rows: int
    n_users: int
    n_segments: int
    n_items: int
    n_surfaces: int
    exploration_share: float | None
    policies: tuple[str, ...]


@dataclass(frozen=True)
class TopItem:
    """An item that a segment sees on a surface.

    slate_share: slates that contain the item. usual_slot: the slot it fills most often there.
    propensity: mean probability of the item in its slot, over those slates.
    score, score_lower, score_upper: means over rows, reward per round.
    """

    segment_id: str
    surface: str
    item_id: str
    item_name: str | None
    slate_share: float
    usual_slot: int
    propensity: float | None
    score: float | None
    score_lower: float | None
    score_upper: float | None
    exploration_share: float | None


@dataclass(frozen=True)
class RowShare:
    """Share of rows with one answer: a fallback level or a reason."""

    name: str
    share: float
    example: str


def coverage(rows: pl.DataFrame) -> Coverage:
    """Return counts over all rows."""
    return Coverage(
        n_rows=rows.height,
        n_users=rows["user_key"].n_unique(),
        n_segments=rows["segment_id"].n_unique(),
        n_items=rows["item_id"].n_unique(),
        n_surfaces=rows["surface"].n_unique(),
        exploration_share=int(rows["is_exploration"].sum()) / rows.height if rows.height else None,
        policies=tuple(sorted(rows["policy_version"].unique().to_list())),
    )


def top_items(rows: pl.DataFrame, *, unit: str) -> tuple[TopItem, ...]:
    """Return the most shown items of each segment and surface, the largest segment first.

    Where the unit is "user", segments below the smallest group are left out.
    """
    place = ["segment_id", "surface"]
    slates = rows.group_by(place).agg(n_slates=pl.col("user_key").n_unique())
    if unit == "user":
        small = _small_segments(rows)
        slates = slates.filter(~pl.col("segment_id").is_in(small))
    items = rows.group_by([*place, "item_id"]).agg(
        item_name=pl.col("item_name").first(),
        n_shown=pl.col("user_key").n_unique(),
        usual_slot=pl.col("slot_rank").mode().min(),
        propensity=pl.col("propensity").mean(),
        score=pl.col("score").mean(),
        score_lower=pl.col("score_lower").mean(),
        score_upper=pl.col("score_upper").mean(),
        exploration_share=pl.col("is_exploration").mean(),
    )
    ranked = (
        items.join(slates, on=place, how="inner")
        .with_columns(slate_share=pl.col("n_shown") / pl.col("n_slates"))
        .sort([*place, "n_shown", "usual_slot", "item_id"], descending=[False, False, True, False, False])
        .group_by(place, maintain_order=True)
        .head(TOP_ITEMS)
        .sort("n_slates", *place, "usual_slot", "n_shown", descending=[True, False, False, False, True])
    )
    return tuple(TopItem(**row) for row in ranked.select(list(TopItem.__dataclass_fields__)).to_dicts())


def n_small_segments(rows: pl.DataFrame) -> int:
    """Return how many segments are too small to show."""
    return len(_small_segments(rows))


def fallback_levels(rows: pl.DataFrame) -> tuple[RowShare, ...]:
    """Return the share of rows per fallback level, best level first."""
    found = {share.name: share for share in _shares(rows, "fallback_level", None)}
    return tuple(found[level] for level in ("segment", "pooled", "baseline", "popular") if level in found)


def reasons(rows: pl.DataFrame) -> tuple[RowShare, ...]:
    """Return the share of rows per reason code, the most frequent first, with its usual sentence."""
    return _shares(rows, "reason_code", "reason_text")


def _shares(rows: pl.DataFrame, column: str, sentence: str | None) -> tuple[RowShare, ...]:
    counted = rows.group_by(column).agg(n=pl.len()).sort("n", column, descending=[True, False])
    examples: dict[str, str] = {}
    if sentence is not None:
        usual = rows.group_by(column, sentence).agg(n=pl.len()).sort("n", sentence, descending=[True, False])
        for row in usual.to_dicts():
            examples.setdefault(row[column], row[sentence])
    return tuple(
        RowShare(row[column], row["n"] / rows.height, examples.get(row[column], ""))
        for row in counted.to_dicts()
    )


def _small_segments(rows: pl.DataFrame) -> list[str]:
    sizes = rows.group_by("segment_id").agg(n_users=pl.col("user_key").n_unique())
    return sizes.filter(pl.col("n_users") < SMALLEST_GROUP)["segment_id"].to_list()
