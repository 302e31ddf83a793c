"""Overview: what the night decided, and what carries it."""

from dataclasses import dataclass

from features.areas import AREAS
from features.codes import ALL_SEGMENTS
from reports import wording
from reports.pages.area_part import Card, part_of
from reports.summaries.data_quality import rule_counts
from reports.summaries.formatting import MISSING, RewardFormat, count, fixed, share
from reports.summaries.night import DOMAINS, Manifest, Night
from reports.summaries.notes import grouped_notes
from reports.summaries.policy_values import PolicyValue, policy_values
from reports.summaries.printed_table import IntervalBar, Mark, interval_bars
from reports.summaries.segment_tasks import by_status, segment_tasks
from reports.summaries.suppression import SMALLEST_GROUP
from reports.summaries.verdicts import Verdict, for_everyone, harmed, of_segments, verdicts
from reports.wording.sentences import say, say_in_short

WORTH_A_SENTENCE = 0.95
"""Share of a lead that must be left for its luck to go unsaid: a lead far above the bar was hardly lucky."""


@dataclass(frozen=True)
class VerdictCard:
    """One domain's verdict in words."""

    domain: str
    mark: Mark
    word: str
    decision: str
    difference: str
    relative: str
    discounted: str
    judged: str
    bar: IntervalBar | None
    meaning: str
    per_rounds: str
    reasons: str
    segments: str


@dataclass(frozen=True)
class UndecidedCard:
    """One domain for which nothing was decided, and the sentence that says why."""

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
    facts: tuple[tuple[str, str], ...]
    cautions: tuple[str, ...]
    notes: tuple[tuple[str, str], ...]
    gaps: tuple[str, ...]
    provenance: tuple[tuple[str, str], ...]
    config: tuple[tuple[str, str], ...]


def overview(night: Night, formats: dict[str, RewardFormat]) -> OverviewPage:
    """Return the overview of the night."""
    records = verdicts(night.rows("out_verdicts"))
    values = policy_values(night.rows("out_policy_values"))
    everyone = for_everyone(records)
    plans = tuple(card for area in AREAS if (card := part_of(area).card(night)))
    return OverviewPage(
        lead=wording.lead(everyone, night.manifest.undecided, [plan.what for plan in plans]),
        cards=tuple(_card(verdict, records, formats[verdict.domain]) for verdict in everyone),
        plans=plans,
        undecided=_undecided(night.manifest),
        fresh=wording.freshness(night.manifest.days_behind),
        facts=_facts(night, everyone),
        cautions=_cautions(night, records, values),
        notes=tuple(
            (wording.note_heading(note), note.text) for note in grouped_notes(night.manifest.notes, say)
        ),
        gaps=(
            *(wording.absent_table(name, is_empty=False) for name in night.missing()),
            *(wording.absent_table(name, is_empty=True) for name in night.empty()),
        ),
        provenance=_provenance(night.manifest, is_judged=bool(records or values)),
        config=tuple(sorted(_flat("", dict(night.manifest.config)))),
    )


def _card(verdict: Verdict, records: tuple[Verdict, ...], reward: RewardFormat) -> VerdictCard:
    mark, word = wording.VERDICTS[verdict.verdict]
    reward = reward.resized([(verdict.difference, verdict.lower, verdict.upper)])
    segments = of_segments(records, verdict.domain)
    n_of = {name: sum(record.verdict == name for record in segments) for name in wording.SEGMENT_VERDICTS}
    return VerdictCard(
        domain=wording.DOMAINS[verdict.domain],
        mark=mark,
        word=word,
        decision=wording.decision(verdict),
        difference=reward.difference(verdict.difference, verdict.lower, verdict.upper),
        relative=_relative(verdict),
        discounted=_discounted(verdict, reward),
        judged=wording.judged(verdict),
        bar=interval_bars([(verdict.difference, verdict.lower, verdict.upper)])[0],
        meaning=wording.meaning(verdict),
        per_rounds=_per_rounds(verdict, reward),
        reasons=say_in_short(verdict.findings, verdict.candidate, smallest=SMALLEST_GROUP),
        segments=wording.segments_line(n_of["served"], n_of["kept"], n_of["protected"], len(harmed(segments)))
        if segments
        else "",
    )


def _relative(verdict: Verdict) -> str:
    if not verdict.baseline_value or verdict.difference is None:
        return ""
    return f"{share(verdict.difference / verdict.baseline_value, signed=True)} relative to {verdict.baseline}"


def _discounted(verdict: Verdict, reward: RewardFormat) -> str:
    if None in (verdict.difference, verdict.discounted_difference, verdict.discounted_upper):
        return ""
    if (verdict.discounted_difference or 0.0) > WORTH_A_SENTENCE * (verdict.difference or 0.0):
        return ""
    return wording.discounted(
        reward.change(verdict.discounted_difference), reward.change(verdict.discounted_upper)
    )


def _per_rounds(verdict: Verdict, reward: RewardFormat) -> str:
    if reward.unit != "%" or verdict.difference is None or verdict.lower is None or verdict.upper is None:
        return ""
    difference, lower, upper = (
        fixed(10_000 * number, max(0, reward.decimals - 2), signed=True)
        for number in (verdict.difference, verdict.lower, verdict.upper)
    )
    return wording.per_rounds(difference, f"{lower} to {upper}")


def _undecided(manifest: Manifest) -> tuple[UndecidedCard, ...]:
    return tuple(
        UndecidedCard(wording.DOMAINS[domain], say([manifest.undecided[domain]]))
        for domain in DOMAINS
        if domain in manifest.undecided
    )


def _facts(night: Night, everyone: tuple[Verdict, ...]) -> tuple[tuple[str, str], ...]:
    facts = []
    for verdict in everyone:
        tasks = segment_tasks(night.rows("out_segment_tasks"), verdict.domain)
        domain = wording.DOMAINS[verdict.domain]
        facts.append((f"{domain}: rounds judged", count(verdict.n_rounds)))
        if tasks:
            words = [f"{n} {wording.TASK_STATUS[status][1]}" for status, n in by_status(tasks).items()]
            facts.append((f"{domain}: segments", ", ".join(words)))
    facts += [pair for area in AREAS for pair in part_of(area).key_counts(night)]
    worst = max(
        rule_counts(night.rows("out_data_quality")), key=lambda c: c.rejected_share or 0.0, default=None
    )
    if worst is not None:
        refused = f"{share(worst.rejected_share)} of {worst.source_name}" if worst.n_rejected else "none"
        facts.append(("Highest share of lines rejected", refused))
    return tuple(facts)


def _cautions(night: Night, records: tuple[Verdict, ...], values: tuple[PolicyValue, ...]) -> tuple[str, ...]:
    """Return the cautions that speak of something on the page."""
    is_judged = bool(records or values)
    has_decisions = any(not night.rows(name).is_empty() for area in AREAS for name in area.tables)
    speaks = {
        wording.CAUTION_LOGS: is_judged,
        wording.CAUTION_CHANCE: is_judged or has_decisions,
        wording.CAUTION_SEGMENTS: any(record.segment_id != ALL_SEGMENTS for record in records),
        wording.CAUTION_ROUNDS: is_judged and night.manifest.unit == "round",
        **{caution: True for area in AREAS for caution in part_of(area).cautions(night)},
        wording.CAUTION_SIMULATED: any(value.true_value is not None for value in values),
    }
    return tuple(caution for caution, is_shown in speaks.items() if is_shown)


def _provenance(manifest: Manifest, *, is_judged: bool) -> tuple[tuple[str, str], ...]:
    span = f"{manifest.data_from or MISSING} to {manifest.data_to}" if manifest.data_to else ""
    versions = ", ".join(f"{name} {version}" for name, version in sorted(manifest.versions.items()))
    pairs = (
        ("Run", manifest.run_id),
        ("Source", manifest.source),
        ("Reward", manifest.reward),
        ("Unit of evidence", manifest.unit if is_judged else ""),
        ("Logs", span),
        ("Input files", count(manifest.n_inputs)),
        ("Currency", manifest.currency),
        ("Config hash", manifest.config_hash),
        ("Seed", "" if manifest.seed is None else str(manifest.seed)),
        ("Device", manifest.device),
        ("Versions", versions),
    )
    return tuple((name, text) for name, text in pairs if text and text != MISSING)


def _flat(prefix: str, tree: dict[str, object]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for key, value in tree.items():
        name = f"{prefix}.{key}" if prefix else str(key)
        pairs += _flat(name, value) if isinstance(value, dict) else [(name, str(value))]
    return pairs
