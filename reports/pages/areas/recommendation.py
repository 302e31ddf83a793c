"""What will be recommended: top items, how much is exploration, and which policy answered."""

from collections.abc import Sequence

from features.areas import RECOMMENDATION
from features.contracts.findings import Finding
from reports.pages.area_part import AreaPart, Facts, Pairs, Paragraph, Printed, Section
from reports.pages.areas.experiment import TABLE as EXPERIMENTS
from reports.pages.areas.experiment import experiment_lines, experiment_section
from reports.pages.areas.rankings import QUALITY, card, ranking_section
from reports.pages.areas.rankings import lines as ranking_lines
from reports.pages.cells import counted, heads, measured, shared, shown_users, text
from reports.summaries import recommendations as shown
from reports.summaries.formatting import RewardFormat
from reports.summaries.night import Night
from reports.summaries.printed_table import Cell, PrintedTable, first_rows, interval_bars
from reports.summaries.segment_distributions import LIKELIEST, likeliest_items
from reports.summaries.suppression import SMALLEST_GROUP, has_small_count
from reports.summaries.verdicts import for_everyone, verdicts
from reports.wording.catalog import Catalog
from reports.wording.sentences import say

EXPLORATION = "exploration"
NOT_DECISIONS = (QUALITY, EXPERIMENTS)
_WITH_FINDINGS = ("promoted", "to_be_tested", "held", "rejected", EXPLORATION)
"""Codes of rows whose sentences hold what the gate found of the whole domain."""


def sections(night: Night, reward: RewardFormat, catalog: Catalog) -> tuple[Section, ...]:
    """Return what is shown to users, and to visitors of segments where logs know no users."""
    return (
        *ranking_section(night, catalog),
        *experiment_section(night, reward, catalog),
        *_of_users(night, reward, catalog),
        *_of_segments(night, reward, catalog),
    )


def key_counts(night: Night, catalog: Catalog) -> Pairs:
    """Return how many rows there are, a dash where some are owed and none is there."""
    n_rows = sum(night.rows(name).height for name in RECOMMENDATION.tables if name not in NOT_DECISIONS)
    if not n_rows and RECOMMENDATION.name in night.manifest.undecided:
        return ()
    rows = catalog.text("recommendation.n_rows", n_rows=n_rows) if n_rows else catalog.numbers.missing
    return ((catalog.text("recommendation.count"), rows),)


def _of_users(night: Night, reward: RewardFormat, catalog: Catalog) -> tuple[Section, ...]:
    rows = night.rows("out_recommendations")
    if rows.is_empty():
        return ()
    unit = night.manifest.unit
    n_small = shown.n_small_segments(rows) if unit == "user" else 0
    left_out = catalog.text("recommendation.small_segments", n_segments=n_small, smallest=SMALLEST_GROUP)
    return (
        Section(
            catalog.text("recommendation.title"),
            (
                Facts(_facts(shown.coverage(rows), unit, catalog)),
                Printed(_items_table(shown.top_items(rows, unit=unit), reward, catalog)),
                *([Paragraph(left_out)] if n_small else []),
                Printed(_fallback_table(shown.fallback_levels(rows), catalog)),
                Printed(_reasons_table(shown.reasons(rows), _of_the_gate(night), catalog)),
            ),
        ),
    )


def _facts(covered: shown.Coverage, unit: str, catalog: Catalog) -> Pairs:
    numbers = catalog.numbers
    people = shown_users([covered.n_users], catalog)[0] if unit == "user" else numbers.count(covered.n_users)
    found = {
        "rows": numbers.count(covered.n_rows),
        "users" if unit == "user" else "keys": people,
        "segments": numbers.count(covered.n_segments),
        "surfaces": numbers.count(covered.n_surfaces),
        "items": numbers.count(covered.n_items),
        "exploration": numbers.share(covered.exploration_share),
        "policies": catalog.listed(covered.policies),
    }
    return tuple((catalog.text(f"recommendation.fact.{name}"), written) for name, written in found.items())


def _of_segments(night: Night, reward: RewardFormat, catalog: Catalog) -> tuple[Section, ...]:
    items = likeliest_items(night.rows("out_segment_distributions"))
    if not items:
        return ()
    scores = [(item.score, item.score_lower, item.score_upper) for item in items]
    fitted = reward.resized(scores)
    rows: list[tuple[Cell, ...]] = [
        (
            text(item.segment_id, catalog),
            text(item.surface, catalog),
            counted(item.slot_rank, catalog),
            text(_named(item.item_id, item.item_name, catalog), catalog),
            shared(item.probability, catalog, drawn=True),
            measured(catalog.numbers.reward_estimate(fitted, *score), item.score, bar),
            text(catalog.text(f"fallback.{item.fallback_level}"), catalog),
        )
        for item, score, bar in zip(items, scores, interval_bars(scores), strict=True)
    ]
    columns = heads(catalog, "segment", "surface", "slot#", "item", "probability#", "score#", "answered_by")
    caption = catalog.text("caption.likeliest_items", n_items=LIKELIEST)
    table = first_rows(caption, columns, rows, "out_segment_distributions")
    hint = Paragraph(catalog.text("recommendation.segment_shares"))
    return (Section(catalog.text("recommendation.title_by_segment"), (hint, Printed(table))),)


def _named(item_id: str, name: str | None, catalog: Catalog) -> str:
    return catalog.text("recommendation.item", name=name, item=item_id) if name else item_id


def _items_table(items: tuple[shown.TopItem, ...], reward: RewardFormat, catalog: Catalog) -> PrintedTable:
    scores = [(item.score, item.score_lower, item.score_upper) for item in items]
    fitted = reward.resized(scores)
    rows: list[tuple[Cell, ...]] = [
        (
            text(item.segment_id, catalog),
            text(item.surface, catalog),
            text(_named(item.item_id, item.item_name, catalog), catalog),
            counted(item.usual_slot, catalog),
            shared(item.slate_share, catalog, drawn=True),
            measured(catalog.numbers.reward_estimate(fitted, *score), item.score, bar),
            shared(item.propensity, catalog),
            shared(item.exploration_share, catalog),
        )
        for item, score, bar in zip(items, scores, interval_bars(scores), strict=True)
    ]
    columns = heads(
        catalog,
        "segment",
        "surface",
        "item",
        "slot#",
        "in_slates#",
        "score#",
        "propensity#",
        "exploration#",
    )
    caption = catalog.text("caption.top_items", n_items=shown.TOP_ITEMS)
    return first_rows(caption, columns, rows, "out_recommendations")


def _fallback_table(levels: tuple[shown.RowShare, ...], catalog: Catalog) -> PrintedTable:
    rows = [
        (
            text(level.name, catalog),
            text(catalog.text(f"fallback.{level.name}"), catalog),
            shared(level.share, catalog, drawn=True),
        )
        for level in levels
    ]
    columns = heads(catalog, "level", "meaning", "rows#")
    return first_rows(catalog.text("caption.fallback"), columns, rows, "out_recommendations")


def _of_the_gate(night: Night) -> tuple[Finding, ...]:
    records = for_everyone(verdicts(night.rows("out_verdicts")))
    return tuple(
        found for record in records if record.domain == RECOMMENDATION.name for found in record.findings
    )


def _usual_sentence(reason: shown.RowShare, found: Sequence[Finding], catalog: Catalog) -> str:
    """Return the sentence of most rows, made anew where the gate's findings in it count too few users."""
    if reason.name not in _WITH_FINDINGS or not any(map(has_small_count, found)):
        return reason.example
    if reason.name == EXPLORATION:
        return ""
    findings = [Finding(reason.name, found[0].subject), *found]
    return say(findings, smallest=SMALLEST_GROUP, catalog=catalog)


def _reasons_table(
    reasons: tuple[shown.RowShare, ...], found: Sequence[Finding], catalog: Catalog
) -> PrintedTable:
    rows = [
        (
            text(reason.name, catalog),
            text(_usual_sentence(reason, found, catalog), catalog),
            shared(reason.share, catalog, drawn=True),
        )
        for reason in reasons
    ]
    columns = heads(catalog, "reason", "usual_sentence…", "rows#")
    return first_rows(catalog.text("caption.reasons"), columns, rows, "out_recommendations")


def lines(night: Night, catalog: Catalog) -> tuple[str, ...]:
    """Return what the terminal says of lists that nothing proves, and of an experiment."""
    return (*ranking_lines(night, catalog), *experiment_lines(night, catalog))


PART: AreaPart = AreaPart(sections, card, key_counts=key_counts, lines=lines)
