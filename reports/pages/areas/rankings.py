"""Recommendations that nothing proves: which ranking serves, what it foretold, and what would prove more."""

from dataclasses import dataclass
from datetime import date

from features.areas import RECOMMENDATION
from features.contracts.findings import Finding
from features.contracts.policy_versions import policy_of
from reports.pages.area_part import Card, Paragraph, Printed, Section
from reports.pages.cells import heads, is_right, measured, shared, shown_users, text
from reports.summaries.night import Night
from reports.summaries.printed_table import Cell, first_rows, interval_bars
from reports.summaries.recommendation_quality import CUTOFF, MeasuredRankers, RankerScore, measured_rankers
from reports.wording.catalog import Catalog
from reports.wording.sentences import say

QUALITY = "out_recommendation_quality"


@dataclass(frozen=True)
class RankingWords:
    """Sentences of an unproven area: what serves, what was measured, why it is unproven, what to log."""

    decision: str
    measured: str
    unproven: str
    next_step: str


def ranking_words(night: Night, catalog: Catalog) -> RankingWords | None:
    """Return the sentences; None where recommendations are proved, or nothing is decided."""
    why = night.manifest.unproven.get(RECOMMENDATION.name)
    if why is None:
        return None
    tested = measured_rankers(night.rows(QUALITY))
    return RankingWords(
        decision=_decision(night, catalog),
        measured=_measured(tested, catalog) if tested else catalog.text("ranking.unmeasured"),
        unproven=_unproven(why, catalog),
        next_step=_next_step(night, why, catalog),
    )


def card(night: Night, catalog: Catalog) -> Card | None:
    """Return the overview's card; None where recommendations have a verdict, or there are none."""
    words = ranking_words(night, catalog)
    if words is None:
        return None
    return Card(
        catalog.text("ranking.title"),
        catalog.text("ranking.what"),
        words.decision,
        (words.measured, words.unproven, words.next_step),
    )


def lines(night: Night, catalog: Catalog) -> tuple[str, ...]:
    """Return the same sentences for the terminal."""
    words = ranking_words(night, catalog)
    if words is None:
        return ()
    first = catalog.text("ranking.on_terminal", sentences=words.decision)
    return first, *(f"  {line}" for line in (words.measured, words.unproven, words.next_step))


def ranking_section(night: Night, catalog: Catalog) -> tuple[Section, ...]:
    """Return the section with the table of rankers, none where recommendations are proved."""
    words, tested = ranking_words(night, catalog), measured_rankers(night.rows(QUALITY))
    if words is None:
        return ()
    said = (Paragraph(words.decision, is_decision=True), Paragraph(words.measured), Paragraph(words.unproven))
    table = (_table(tested, catalog),) if tested else ()
    return (Section(catalog.text("ranking.title"), (*said, *table, Paragraph(words.next_step))),)


def _decision(night: Night, catalog: Catalog) -> str:
    rows, shares = night.rows("out_recommendations"), night.rows("out_segment_distributions")
    rows = rows.filter(evidence_level="unproven")  # others are of an experiment
    if rows.is_empty() and shares.is_empty():
        return catalog.text("ranking.decided_nothing")
    if rows.is_empty():
        return catalog.text("ranking.decided_for_all", ranker=_named(shares["policy_version"][0], catalog))
    [users] = shown_users([rows["user_key"].n_unique()], catalog)
    return catalog.text("ranking.decided", users=users, ranker=_named(rows["policy_version"][0], catalog))


def _is_explored(night: Night) -> bool:
    """Whether anything is left to chance in the lists."""
    chances = (
        night.rows("out_recommendations")["propensity"],
        night.rows("out_segment_distributions")["probability"],
    )
    return any(bool((chance < 1.0).any()) for chance in chances)


def _has_one_item(night: Night) -> bool:
    """Whether one item is all that any list could show."""
    shown = (night.rows(name)["item_id"] for name in ("out_recommendations", "out_segment_distributions"))
    return len({item for items in shown for item in items.unique()}) == 1


def _next_step(night: Night, why: Finding, catalog: Catalog) -> str:
    """Return what to log; what is logged already goes on being so."""
    if why.code == "lists_until_promotion":
        return catalog.text("ranking.next_step_logged")
    if _is_explored(night):
        return catalog.text("ranking.next_step")
    return catalog.text("ranking.next_step_one_item" if _has_one_item(night) else "ranking.next_step_certain")


def _named(version: str, catalog: Catalog) -> str:
    ranker = policy_of(version)
    about = catalog.text_or(f"ranker.{ranker}", "")
    return catalog.text("ranking.known_ranker", ranker=ranker, about=about) if about else ranker


def _measured(tested: MeasuredRankers, catalog: Catalog) -> str:
    days: dict[str, date | int] = {
        "first": tested.first_day,
        "last": tested.last_day,
        "n_users": tested.n_users,
    }
    served = tested.served
    if served is None or served.difference is None:
        return catalog.text("ranking.measured_plain", **days)
    plain = next((score for score in tested.scores if score.difference is None), None)
    return catalog.text(
        "ranking.measured",
        hit_rate=catalog.numbers.share(served.hit_rate),
        plain_hit_rate=catalog.numbers.share(plain.hit_rate if plain else None),
        difference=_estimate(served.difference, served.difference_lower, served.difference_upper, catalog),
        n_places=CUTOFF,
        **days,
    )


def _unproven(why: Finding, catalog: Catalog) -> str:
    return catalog.paragraph(say([why], catalog=catalog), catalog.text("ranking.unproven"))


def _table(tested: MeasuredRankers, catalog: Catalog) -> Printed:
    bars = interval_bars([(score.value, score.lower, score.upper) for score in tested.scores])
    rows: list[tuple[Cell, ...]] = [
        (
            text(score.ranker, catalog),
            measured(_estimate(score.value, score.lower, score.upper, catalog), score.value, bar),
            measured(_difference(score, catalog), score.difference),
            shared(score.hit_rate, catalog),
            is_right(score.is_served, catalog),
        )
        for score, bar in zip(tested.scores, bars, strict=True)
    ]
    columns = heads(catalog, "ranker", "ndcg#", "less_popularity#", "hit_rate#", "serves")
    caption = catalog.text("caption.rankers", n_places=CUTOFF, n_tried=tested.n_tried)
    return Printed(first_rows(caption, columns, rows, QUALITY))


def _difference(score: RankerScore, catalog: Catalog) -> str:
    if score.difference is None:
        return catalog.numbers.missing
    return _estimate(score.difference, score.difference_lower, score.difference_upper, catalog)


def _estimate(value: float, lower: float | None, upper: float | None, catalog: Catalog) -> str:
    numbers = catalog.numbers
    if lower is None or upper is None:
        return numbers.fixed(value, 3)
    ends = numbers.between(numbers.fixed(lower, 3), numbers.fixed(upper, 3))
    return numbers.with_interval(numbers.fixed(value, 3), ends)
