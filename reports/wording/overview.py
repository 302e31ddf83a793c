"""What the overview says of a night: its lead, each verdict, freshness, segments and notes."""

from collections.abc import Collection, Sequence

from reports.summaries.night import DOMAINS, JUDGED_DOMAINS
from reports.summaries.notes import Note
from reports.summaries.printed_table import Mark
from reports.summaries.verdicts import Verdict
from reports.wording.catalog import Catalog


def lead(
    everyone: Sequence[Verdict],
    undecided: Collection[str],
    unproven: Collection[str],
    planned: Sequence[str],
    catalog: Catalog,
    *,
    in_experiment: float = 0.0,
) -> str:
    """Return what opens the report; unproven: domains without a verdict or proof; planned: those decided
    without a verdict. in_experiment: share of the users that an experiment serves by its candidate tomorrow.
    """
    if not everyone:
        return _lead_without_verdicts({*undecided, *unproven}, planned, catalog)
    promoted, tested = (
        [catalog.text(f"area_inside.{each.domain}") for each in everyone if each.verdict == verdict]
        for verdict in ("promote", "test")
    )
    unchanged = "lead.no_change_but_tests" if tested or in_experiment else "lead.no_change"
    share = catalog.numbers.share(in_experiment)
    judged = catalog.paragraph(
        catalog.text("lead.new_policy", areas=catalog.together(promoted))
        if promoted
        else catalog.text(unchanged),
        catalog.text("lead.test", areas=catalog.together(tested)) if tested else "",
        catalog.text("lead.experiment", share=share) if in_experiment else "",
    )
    lists = [catalog.text(f"area_inside.{domain}") for domain in unproven]
    return catalog.paragraph(
        judged, catalog.text("lead.unproven", areas=catalog.together(lists)) if unproven else ""
    )


def decision(verdict: Verdict, catalog: Catalog, *, has_lists: bool = False) -> str:
    """Return what happens tomorrow in the verdict's domain; has_lists: lists serve there that nothing proves.

    Then no policy that was judged serves, whatever the verdict.
    """
    names = {"candidate": verdict.candidate, "baseline": verdict.baseline}
    if has_lists:
        return catalog.text(f"decided.{verdict.verdict}_beside_lists", **names)
    if verdict.verdict == "test":
        return catalog.text("decided.test", champion=verdict.champion, **names)
    if verdict.verdict == "promote":
        about = catalog.text_or(f"policy_about.{verdict.candidate}", "")
        known = {"about": about} if about else {}
        return catalog.text("decided.promote_known" if about else "decided.promote", **names, **known)
    if verdict.verdict == "hold":
        return catalog.text("decided.hold", champion=verdict.champion, **names)
    return catalog.text("decided.reject", champion=verdict.champion, candidate=verdict.candidate)


def meaning(verdict: Verdict, catalog: Catalog) -> str:
    """Return what the interval of the difference says."""
    if verdict.difference is None or verdict.lower is None or verdict.upper is None:
        return catalog.text("difference.unknown")
    if not verdict.is_believed:
        return catalog.text("difference.not_believed")
    if verdict.sign > 0:
        return catalog.text("difference.above")
    return catalog.text("difference.below" if verdict.sign < 0 else "difference.across")


def basis(verdict: Verdict, catalog: Catalog) -> str:
    """Return which rounds a verdict rests on, and what was learned before them."""
    n_rounds, n_origins = verdict.n_rounds, verdict.n_origins
    first, last = verdict.judged_from, verdict.judged_to
    days = catalog.text("judged.day" if first == last else "judged.days", first=first, last=last)
    if verdict.split_by != "time":
        rounds = (
            catalog.text("judged.by_chance_anew", n_rounds=n_rounds, n_origins=n_origins)
            if n_origins > 1
            else catalog.text("judged.by_chance", n_rounds=n_rounds)
        )
        return catalog.paragraph(rounds, catalog.text(f"judged.split_by_{verdict.split_by}"))
    if n_origins == 1:
        return catalog.text("judged.newest", n_rounds=n_rounds, days=days)
    return catalog.text("judged.rolling", n_rounds=n_rounds, n_origins=n_origins, days=days)


def freshness(days_behind: int | None, catalog: Catalog) -> tuple[Mark, str]:
    """Return how fresh the data are; 0 days behind is a night on time."""
    if days_behind is None:
        return Mark("?", "quiet"), catalog.text("fresh.unknown")
    if days_behind < 0:
        return Mark("✕", "bad"), catalog.text("fresh.ahead", n_days=-days_behind)
    if days_behind == 0:
        return Mark("✓", "good"), catalog.text("fresh.on_time")
    mark = Mark("!", "even" if days_behind == 1 else "bad")
    return mark, catalog.text("fresh.late", n_days=days_behind)


def segments_line(n_served: int, n_kept: int, n_protected: int, n_harmed: int, catalog: Catalog) -> str:
    """Return what happens in single segments tomorrow."""
    counts = {"n_served": n_served, "n_kept": n_kept, "n_protected": n_protected}
    if not n_harmed:
        return catalog.text("segments.none_lose", **counts)
    return catalog.text("segments.lose", n_harmed=n_harmed, **counts)


def note_heading(note: Note, catalog: Catalog) -> str:
    """Return whom a note speaks of, empty for a note of the whole night."""
    if not note.learners:
        return ""
    names = catalog.listed([catalog.text(f"area.{note.domain}"), *note.learners])
    return catalog.text("page.label", name=names)


def quality_conclusion(n_sources: int, n_refusing: int, n_lost: int, catalog: Catalog) -> str:
    """Return what the lines of the table of data quality come to."""
    read = (
        catalog.text("quality.rejecting", n_sources=n_sources, n_refusing=n_refusing)
        if n_refusing
        else catalog.text("quality.all_loaded", n_sources=n_sources)
    )
    lost = catalog.text("quality.lost", n_lost=n_lost) if n_lost else catalog.text("quality.adds_up")
    return catalog.paragraph(read, lost)


def absent_table(table: str, catalog: Catalog, *, is_empty: bool) -> str:
    """Return the notice for a table that is missing or has no rows."""
    why = catalog.text(f"absent_why.{table}")
    return catalog.text("absent.empty" if is_empty else "absent.missing", table=table, why=why)


def _lead_without_verdicts(undecided: Collection[str], planned: Sequence[str], catalog: Catalog) -> str:
    if planned and all(domain in undecided for domain in JUDGED_DOMAINS):
        return catalog.text("lead.planned", plans=catalog.together(planned))
    if not planned and all(domain in undecided for domain in DOMAINS):
        return catalog.text("lead.nothing")
    return catalog.text("lead.no_verdict")
