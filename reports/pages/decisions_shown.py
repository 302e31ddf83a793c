"""What will be shown: top items and creatives, how much is exploration, and which policy answered."""

from dataclasses import dataclass

from reports import wording
from reports.pages.cells import heads, measured, rounded, shared, text
from reports.summaries import recommendations as shown
from reports.summaries.ad_targeting import top_creatives
from reports.summaries.formatting import RewardFormat, count, share
from reports.summaries.night import Night
from reports.summaries.printed_table import Cell, PrintedTable, first_rows, interval_bars
from reports.summaries.segment_distributions import LIKELIEST, likeliest_items
from reports.summaries.suppression import SMALLEST_GROUP, shown_users


@dataclass(frozen=True)
class RecommendationDecisions:
    """Facts in pairs of name and text, and three tables."""

    facts: tuple[tuple[str, str], ...]
    items: PrintedTable
    small_segments: str
    fallbacks: PrintedTable
    reasons: PrintedTable


@dataclass(frozen=True)
class SegmentDecisions:
    """What visitors of each segment are shown, where logs know no users."""

    items: PrintedTable


@dataclass(frozen=True)
class AdDecisions:
    """The most probable creatives."""

    creatives: PrintedTable


def recommendation_decisions(night: Night, reward: RewardFormat) -> RecommendationDecisions | None:
    """Return what will be recommended, or None without rows."""
    rows = night.rows("out_recommendations")
    if rows.is_empty():
        return None
    unit = night.manifest.unit
    covered = shown.coverage(rows)
    n_small = shown.n_small_segments(rows) if unit == "user" else 0
    return RecommendationDecisions(
        facts=(
            ("Rows", count(covered.n_rows)),
            ("Users", shown_users([covered.n_users])[0])
            if unit == "user"
            else ("Keys", count(covered.n_users)),
            ("Segments", count(covered.n_segments)),
            ("Surfaces", count(covered.n_surfaces)),
            ("Different items", count(covered.n_items)),
            ("Exploration", share(covered.exploration_share)),
            ("Served by", ", ".join(covered.policies)),
        ),
        items=_items_table(shown.top_items(rows, unit=unit), reward),
        small_segments=wording.small_segments(n_small, SMALLEST_GROUP) if n_small else "",
        fallbacks=_fallback_table(shown.fallback_levels(rows)),
        reasons=_reasons_table(shown.reasons(rows)),
    )


def segment_decisions(night: Night, reward: RewardFormat) -> SegmentDecisions | None:
    """Return with which probability visitors of a segment see what, or None without rows."""
    items = likeliest_items(night.rows("out_segment_distributions"))
    if not items:
        return None
    scores = [(item.score, item.score_lower, item.score_upper) for item in items]
    fitted = reward.resized(scores)
    rows: list[tuple[Cell, ...]] = [
        (
            text(item.segment_id),
            text(item.surface),
            Cell(str(item.slot_rank), sort=item.slot_rank),
            text(_named(item.item_id, item.item_name)),
            shared(item.probability, drawn=True),
            measured(fitted.estimate(*score), item.score, bar),
            text(wording.FALLBACK_LEVELS.get(item.fallback_level)),
        )
        for item, score, bar in zip(items, scores, interval_bars(scores), strict=True)
    ]
    columns = heads("Segment", "Surface", "Slot#", "Item", "Probability#", "Score (interval)#", "Answered by")
    caption = f"The {LIKELIEST} likeliest items of each slot; every visitor draws anew"
    return SegmentDecisions(first_rows(caption, columns, rows, "out_segment_distributions"))


def _named(item_id: str, name: str | None) -> str:
    return f"{name} ({item_id})" if name else item_id


def ad_decisions(night: Night, reward: RewardFormat) -> AdDecisions | None:
    """Return which ads will be shown, or None without rows."""
    creatives = top_creatives(night.rows("out_ad_targeting"))
    if not creatives:
        return None
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
    return AdDecisions(
        first_rows("The most probable creatives, best evidence first", columns, rows, "out_ad_targeting")
    )


def _items_table(items: tuple[shown.TopItem, ...], reward: RewardFormat) -> PrintedTable:
    scores = [(item.score, item.score_lower, item.score_upper) for item in items]
    fitted = reward.resized(scores)
    rows: list[tuple[Cell, ...]] = [
        (
            text(item.segment_id),
            text(item.surface),
            text(_named(item.item_id, item.item_name)),
            Cell(str(item.usual_slot), sort=item.usual_slot),
            shared(item.slate_share, drawn=True),
            measured(fitted.estimate(*score), item.score, bar),
            shared(item.propensity),
            shared(item.exploration_share),
        )
        for item, score, bar in zip(items, scores, interval_bars(scores), strict=True)
    ]
    columns = heads(
        "Segment",
        "Surface",
        "Item",
        "Slot#",
        "In slates#",
        "Score (interval)#",
        "Propensity#",
        "Exploration#",
    )
    caption = (
        f"Top {shown.TOP_ITEMS} items per segment and surface, the largest segment first; means over rows"
    )
    return first_rows(caption, columns, rows, "out_recommendations")


def _fallback_table(levels: tuple[shown.RowShare, ...]) -> PrintedTable:
    rows = [
        (text(level.name), text(wording.FALLBACK_LEVELS.get(level.name)), shared(level.share, drawn=True))
        for level in levels
    ]
    return first_rows(
        "Which policy answered", heads("Level", "Meaning", "Rows#"), rows, "out_recommendations"
    )


def _reasons_table(reasons: tuple[shown.RowShare, ...]) -> PrintedTable:
    rows = [(text(reason.name), text(reason.example), shared(reason.share, drawn=True)) for reason in reasons]
    return first_rows(
        "Why items were chosen", heads("Reason", "Usual sentence…", "Rows#"), rows, "out_recommendations"
    )
