"""Overview: what the night decided, and what supports it."""

from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

from features.areas import AREAS, RECOMMENDATION
from features.codes import ALL_SEGMENTS
from reports.pages.area_part import Card, Pairs, part_of
from reports.pages.marks import NOT_DECIDED, SEGMENT_VERDICTS, VERDICTS
from reports.pages.provenance import config, provenance
from reports.summaries.data_quality import rule_counts
from reports.summaries.experiments import experiment_of
from reports.summaries.formatting import RATE, RewardFormat
from reports.summaries.night import DOMAINS, Manifest, Night
from reports.summaries.notes import grouped_notes
from reports.summaries.policy_values import PolicyValue, policy_values
from reports.summaries.printed_table import IntervalBar, Mark, interval_bars
from reports.summaries.segment_tasks import by_status, segment_tasks
from reports.summaries.suppression import SMALLEST_GROUP
from reports.summaries.verdicts import Verdict, for_everyone, harmed, of_segments, verdicts
from reports.wording.catalog import Catalog
from reports.wording.overview import (
    absent_table,
    basis,
    decision,
    freshness,
    lead,
    meaning,
    note_heading,
    segments_line,
)
from reports.wording.sentences import say, say_in_short

WORTH_A_SENTENCE = 0.95
"""Share of a lead that must be left for its luck to go unsaid: a lead far above the bar was hardly lucky."""

ON_CARDS = "logging_would_buy"
"""A note that stands on its area's card, as it says what to do."""

ROUNDS_IN_A_SENTENCE = 10_000
"""A difference of rates or money is also said as what it is in this many rounds."""


@dataclass(frozen=True)
class VerdictCard:
    """One domain's verdict in words; level: where propensities are estimated, why, and what others buy."""

    domain: str
    mark: Mark
    word: str
    decision: str
    difference: str
    meaning: str
    discounted: str
    basis: str
    level: tuple[str, ...]
    bar: IntervalBar | None
    reasons: str
    segments: str


@dataclass(frozen=True)
class UndecidedCard:
    """One domain for which nothing was decided, and the sentence that says why."""

    mark: ClassVar[Mark] = NOT_DECIDED
    domain: str
    reason: str


@dataclass(frozen=True)
class OverviewPage:
    """Everything the overview prints; facts, notes and provenance are pairs of name and text.

    cards: of areas with a verdict; plans: of those that decide without one.
    """

    lead: str
    cards: tuple[VerdictCard, ...]
    plans: tuple[Card, ...]
    undecided: tuple[UndecidedCard, ...]
    fresh: tuple[Mark, str]
    facts: Pairs
    cautions: tuple[str, ...]
    notes: Pairs
    gaps: tuple[str, ...]
    provenance: Pairs
    config: Pairs


def overview(night: Night, formats: dict[str, RewardFormat], catalog: Catalog) -> OverviewPage:
    """Return the overview of the night."""
    records = verdicts(night.rows("out_verdicts"))
    values = policy_values(night.rows("out_policy_values"))
    everyone = for_everyone(records)
    plans = tuple(card for area in AREAS if (card := part_of(area).card(night, catalog)))
    noted = [note for note in night.manifest.notes if note.found.code != ON_CARDS]
    notes = grouped_notes(noted, partial(say, catalog=catalog))
    tried = experiment_of(night.rows("out_experiments"), RECOMMENDATION.name)
    return OverviewPage(
        lead=lead(
            everyone,
            night.manifest.undecided,
            night.manifest.unproven.keys() - night.judged,
            [plan.what for plan in plans],
            catalog,
            in_experiment=tried.share_tomorrow if tried is not None else 0.0,
        ),
        cards=tuple(
            _card(verdict, records, formats[verdict.domain], night.manifest, catalog) for verdict in everyone
        ),
        plans=plans,
        undecided=_undecided(night.manifest, catalog),
        fresh=freshness(night.manifest.days_behind, catalog),
        facts=_facts(night, everyone, catalog),
        cautions=_cautions(night, records, values, catalog),
        notes=tuple((note_heading(note, catalog), note.text) for note in notes),
        gaps=(
            *(absent_table(name, catalog, is_empty=False) for name in night.missing()),
            *(absent_table(name, catalog, is_empty=True) for name in night.empty()),
        ),
        provenance=provenance(night.manifest, catalog, is_judged=bool(records or values)),
        config=config(night.manifest),
    )


def _card(
    verdict: Verdict,
    records: tuple[Verdict, ...],
    reward: RewardFormat,
    manifest: Manifest,
    catalog: Catalog,
) -> VerdictCard:
    reward = reward.resized([(verdict.difference, verdict.lower, verdict.upper)])
    segments = of_segments(records, verdict.domain)
    n_of = {name: sum(record.verdict == name for record in segments) for name in SEGMENT_VERDICTS}
    return VerdictCard(
        domain=catalog.text(f"area.{verdict.domain}"),
        mark=VERDICTS[verdict.verdict],
        word=catalog.text(f"verdict.{verdict.verdict}"),
        decision=decision(
            replace(verdict, champion=manifest.serves(verdict.domain, verdict.champion)),
            catalog,
            has_lists=verdict.domain in manifest.unproven,
        ),
        difference=catalog.numbers.reward_difference(
            reward, verdict.difference, verdict.lower, verdict.upper
        ),
        meaning=catalog.paragraph(
            meaning(verdict, catalog), _relative(verdict, catalog), _per_rounds(verdict, reward, catalog)
        ),
        discounted=_discounted(verdict, reward, catalog),
        basis=basis(verdict, catalog),
        level=_level(verdict.domain, manifest, catalog),
        bar=interval_bars([(verdict.difference, verdict.lower, verdict.upper)])[0],
        reasons=say_in_short(verdict.findings, verdict.candidate, smallest=SMALLEST_GROUP, catalog=catalog),
        segments=segments_line(
            n_of["served"], n_of["kept"], n_of["protected"], len(harmed(segments)), catalog
        )
        if segments
        else "",
    )


def _level(domain: str, manifest: Manifest, catalog: Catalog) -> tuple[str, ...]:
    """Return why propensities are estimated and what logged ones would buy; nothing where they are logged."""
    if domain not in manifest.estimated:
        return ()
    bought = [note.found for note in manifest.notes if note.domain == domain and note.found.code == ON_CARDS]
    found = [manifest.estimated[domain], *bought]
    return tuple(say([each], catalog=catalog) for each in found)


def _relative(verdict: Verdict, catalog: Catalog) -> str:
    if not verdict.baseline_value or verdict.difference is None or not verdict.is_believed:
        return ""
    change = catalog.numbers.share(verdict.difference / verdict.baseline_value, signed=True)
    return catalog.text("difference.relative", change=change, baseline=verdict.baseline)


def _discounted(verdict: Verdict, reward: RewardFormat, catalog: Catalog) -> str:
    if None in (verdict.difference, verdict.discounted_difference, verdict.discounted_upper):
        return ""
    if not verdict.is_believed:
        return ""
    if (verdict.discounted_difference or 0.0) > WORTH_A_SENTENCE * (verdict.difference or 0.0):
        return ""
    return catalog.text(
        "difference.discounted",
        lead=catalog.numbers.reward_change(reward, verdict.discounted_difference),
        upper=catalog.numbers.reward_change(reward, verdict.discounted_upper),
    )


def _per_rounds(verdict: Verdict, reward: RewardFormat, catalog: Catalog) -> str:
    if not reward.unit or verdict.difference is None or verdict.lower is None or verdict.upper is None:
        return ""
    if not verdict.is_believed:
        return ""
    # A percentage has two decimals less than its share.
    decimals = reward.decimals + (2 if reward.unit == RATE else 0)
    difference, lower, upper = (
        catalog.numbers.fixed(ROUNDS_IN_A_SENTENCE * number, max(0, decimals - 4), signed=True)
        for number in (verdict.difference, verdict.lower, verdict.upper)
    )
    said = {"difference": difference, "interval": catalog.numbers.between(lower, upper)}
    if reward.unit == RATE:
        return catalog.text("difference.per_rounds", n_rounds=ROUNDS_IN_A_SENTENCE, **said)
    return catalog.text(
        "difference.money_per_rounds", n_rounds=ROUNDS_IN_A_SENTENCE, currency=reward.unit, **said
    )


def _undecided(manifest: Manifest, catalog: Catalog) -> tuple[UndecidedCard, ...]:
    return tuple(
        UndecidedCard(catalog.text(f"area.{domain}"), say([manifest.undecided[domain]], catalog=catalog))
        for domain in DOMAINS
        if domain in manifest.undecided
    )


def _facts(night: Night, everyone: tuple[Verdict, ...], catalog: Catalog) -> Pairs:
    facts = []
    for verdict in everyone:
        tasks = segment_tasks(night.rows("out_segment_tasks"), verdict.domain)
        area = catalog.text(f"area.{verdict.domain}")
        rounds = catalog.numbers.count(verdict.n_rounds)
        facts.append((catalog.text("fact.rounds_judged", area=area), rounds))
        if tasks:
            words = [catalog.text(f"fact.segments.{status}", n=n) for status, n in by_status(tasks).items()]
            facts.append((catalog.text("fact.segments", area=area), catalog.listed(words)))
    facts += [pair for area in AREAS for pair in part_of(area).key_counts(night, catalog)]
    worst = max(
        rule_counts(night.rows("out_data_quality")), key=lambda c: c.rejected_share or 0.0, default=None
    )
    if worst is not None:
        share = catalog.numbers.share(worst.rejected_share)
        rejected = (
            catalog.text("fact.rejected.some", share=share, source=worst.source_name)
            if worst.n_rejected
            else catalog.text("fact.rejected.none")
        )
        facts.append((catalog.text("fact.rejected"), rejected))
    return tuple(facts)


def _cautions(
    night: Night, records: tuple[Verdict, ...], values: tuple[PolicyValue, ...], catalog: Catalog
) -> tuple[str, ...]:
    """Return the cautions that speak of something on the page."""
    is_judged = bool(records or values)
    has_decisions = any(not night.rows(name).is_empty() for area in AREAS for name in area.tables)
    speaks = {
        catalog.text("caution.logs"): is_judged,
        catalog.text("caution.chance"): is_judged or has_decisions,
        catalog.text("caution.segments"): any(record.segment_id != ALL_SEGMENTS for record in records),
        catalog.text("caution.rounds"): is_judged and night.manifest.unit == "round",
        **{caution: True for area in AREAS for caution in part_of(area).cautions(night, catalog)},
        catalog.text("caution.simulated"): any(value.true_value is not None for value in values),
    }
    return tuple(caution for caution, is_shown in speaks.items() if is_shown)
