"""What will be recommended: top items, how much is exploration, and which policy answered."""

from collections.abc import Sequence

from features.areas import RECOMMENDATION
from features.contracts.findings import Finding
from reports import wording
from reports.pages.area_part import AreaPart, Facts, Pairs, Paragraph, Printed, Section
from reports.pages.cells import heads, measured, shared, text
from reports.summaries import recommendations as shown
from reports.summaries.formatting import MISSING, RewardFormat, count, share
from reports.summaries.night import Night
from reports.summaries.printed_table import Cell, PrintedTable, first_rows, interval_bars
from reports.summaries.segment_distributions import LIKELIEST, likeliest_items
from reports.summaries.suppression import SMALLEST_GROUP, has_small_count, shown_users
from reports.summaries.verdicts import for_everyone, verdicts
from reports.wording.sentences import say

EXPLORATION = "exploration"
_WITH_FINDINGS = ("promoted", "held", "rejected", EXPLORATION)
"""Codes of rows whose sentences hold what the gate found of the whole domain."""


def sections(night: Night, reward: RewardFormat) -> tuple[Section, ...]:
    """Return what is shown to users, and to visitors of segments where logs know no users."""
    return (*_of_users(night, reward), *_of_segments(night, reward))


def key_counts(night: Night) -> Pairs:
    """Return how many rows there are, a dash where some are owed and none is there."""
    n_rows = sum(night.rows(name).height for name in RECOMMENDATION.tables)
    if not n_rows and RECOMMENDATION.name in night.manifest.undecided:
        return ()
    return (("Recommendations", f"{count(n_rows)} rows" if n_rows else MISSING),)


def _of_users(night: Night, reward: RewardFormat) -> tuple[Section, ...]:
    rows = night.rows("out_recommendations")
    if rows.is_empty():
        return ()
    unit = night.manifest.unit
    covered = shown.coverage(rows)
    n_small = shown.n_small_segments(rows) if unit == "user" else 0
    facts = (
        ("Rows", count(covered.n_rows)),
        ("Users", shown_users([covered.n_users])[0]) if unit == "user" else ("Keys", count(covered.n_users)),
        ("Segments", count(covered.n_segments)),
        ("Surfaces", count(covered.n_surfaces)),
        ("Different items", count(covered.n_items)),
        ("Exploration", share(covered.exploration_share)),
        ("Served by", ", ".join(covered.policies)),
    )
    left_out = Paragraph(wording.small_segments(n_small, SMALLEST_GROUP))
    return (
        Section(
            "Recommendations",
            (
                Facts(facts),
                Printed(_items_table(shown.top_items(rows, unit=unit), reward)),
                *([left_out] if n_small else []),
                Printed(_fallback_table(shown.fallback_levels(rows))),
                Printed(_reasons_table(shown.reasons(rows), _of_the_gate(night))),
            ),
        ),
    )


def _of_segments(night: Night, reward: RewardFormat) -> tuple[Section, ...]:
    items = likeliest_items(night.rows("out_segment_distributions"))
    if not items:
        return ()
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
    table = first_rows(caption, columns, rows, "out_segment_distributions")
    return (Section("Recommendations by segment", (Paragraph(wording.SEGMENT_SHARES), Printed(table))),)


def _named(item_id: str, name: str | None) -> str:
    return f"{name} ({item_id})" if name else item_id


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


def _of_the_gate(night: Night) -> tuple[Finding, ...]:
    records = for_everyone(verdicts(night.rows("out_verdicts")))
    return tuple(
        found for record in records if record.domain == RECOMMENDATION.name for found in record.findings
    )


def _usual_sentence(reason: shown.RowShare, found: Sequence[Finding]) -> str:
    """Return the sentence of most rows, made anew where the gate's findings in it count too few users."""
    if reason.name not in _WITH_FINDINGS or not any(map(has_small_count, found)):
        return reason.example
    if reason.name == EXPLORATION:
        return ""
    return say([Finding(reason.name, found[0].subject), *found], smallest=SMALLEST_GROUP)


def _reasons_table(reasons: tuple[shown.RowShare, ...], found: Sequence[Finding]) -> PrintedTable:
    rows = [
        (text(reason.name), text(_usual_sentence(reason, found)), shared(reason.share, drawn=True))
        for reason in reasons
    ]
    return first_rows(
        "Why items were chosen", heads("Reason", "Usual sentence…", "Rows#"), rows, "out_recommendations"
    )


PART: AreaPart = AreaPart(sections, key_counts=key_counts)
