"""The gate, segment by segment: differences, verdicts, and who would be harmed."""

from collections.abc import Sequence
from dataclasses import dataclass

from features.codes import ALL_SEGMENTS
from reports.pages.cells import counted, heads, marked, measured, people, rounded, shared, text
from reports.pages.marks import SEGMENT_VERDICTS
from reports.summaries.formatting import RewardFormat
from reports.summaries.policy_values import PolicyValue, leading_estimators
from reports.summaries.printed_table import Cell, PrintedTable, first_rows, interval_bars
from reports.summaries.suppression import SMALLEST_GROUP
from reports.summaries.verdicts import Verdict, harmed
from reports.wording.catalog import Catalog
from reports.wording.evaluation import harmed_line, harmed_segment
from reports.wording.sentences import say_in_short

HARMED_LISTED = 20


@dataclass(frozen=True)
class SegmentEvidence:
    """Harmed segments, the worst first, and the table of all; harmed_left_out: a line on those not listed."""

    harmed_line: str
    harmed: tuple[str, ...]
    harmed_left_out: str
    table: PrintedTable


def segment_evidence(
    values: Sequence[PolicyValue],
    verdicts: Sequence[Verdict],
    reward: RewardFormat,
    catalog: Catalog,
    *,
    has_users: bool,
) -> SegmentEvidence | None:
    """Return the evidence of single segments, or None where the gate judged none."""
    segments = [verdict for verdict in verdicts if verdict.segment_id != ALL_SEGMENTS]
    if not segments:
        return None
    of_candidates = _of_candidates(values, segments)
    reward = reward.resized([(v.difference, v.lower, v.upper) for v in segments])
    ordered = sorted(segments, key=lambda v: (-v.n_rounds, v.segment_id))
    worst = harmed(segments)
    n_left_out = len(worst) - HARMED_LISTED
    return SegmentEvidence(
        harmed_line=harmed_line(len(worst), catalog),
        harmed=tuple(
            harmed_segment(
                v, catalog.numbers.reward_difference(reward, v.difference, v.lower, v.upper), catalog
            )
            for v in worst[:HARMED_LISTED]
        ),
        harmed_left_out=catalog.text("harmed.more", n=n_left_out) if n_left_out > 0 else "",
        table=_table(ordered, of_candidates, reward, catalog, has_users=has_users),
    )


def _table(
    ordered: list[Verdict],
    of_candidates: dict[str, PolicyValue],
    reward: RewardFormat,
    catalog: Catalog,
    *,
    has_users: bool,
) -> PrintedTable:
    bars = interval_bars([(v.difference, v.lower, v.upper) for v in ordered])
    users = _users(ordered, of_candidates, catalog) if has_users else {}
    champions = sorted({verdict.champion for verdict in ordered})
    rows: list[tuple[Cell, ...]] = []
    whys = []
    for verdict, bar in zip(ordered, bars, strict=True):
        difference = catalog.numbers.reward_difference(
            reward, verdict.difference, verdict.lower, verdict.upper
        )
        rows.append(
            (
                text(verdict.segment_id, catalog),
                marked(verdict.verdict, SEGMENT_VERDICTS, catalog, "segment_verdict"),
                shared(verdict.harm_probability, catalog),
                measured(difference, verdict.difference, bar),
                counted(verdict.n_rounds, catalog),
                *((users.get(verdict.segment_id, text(None, catalog)),) if has_users else ()),
                rounded(verdict.ess, catalog),
                *((text(verdict.champion, catalog),) if len(champions) > 1 else ()),
            )
        )
        whys.append(
            say_in_short(verdict.findings, verdict.candidate, smallest=SMALLEST_GROUP, catalog=catalog)
        )
    user_head = ("users#",) if has_users else ()
    champion_head = ("serves_tomorrow",) if len(champions) > 1 else ()
    columns = heads(
        catalog,
        "segment",
        "tomorrow",
        "probability_of_harm#",
        "candidate_less_today#",
        "rounds#",
        *user_head,
        "ess#",
        *champion_head,
    )
    today = ordered[0].baseline
    caption = (
        catalog.text("caption.segments", today=today)
        if champion_head
        else catalog.text("caption.segments_of_one", today=today, champion=champions[0])
    )
    return first_rows(caption, columns, rows, "out_verdicts", whys=whys)


def _of_candidates(values: Sequence[PolicyValue], segments: Sequence[Verdict]) -> dict[str, PolicyValue]:
    candidates = {verdict.segment_id: verdict.candidate for verdict in segments}
    own = [value for value in values if candidates.get(value.segment_id) == value.policy]
    leading = leading_estimators(own)[:1]
    return {value.segment_id: value for value in own if value.estimator in leading}


def _users(
    ordered: list[Verdict], of_candidates: dict[str, PolicyValue], catalog: Catalog
) -> dict[str, Cell]:
    known = [of_candidates[verdict.segment_id] for verdict in ordered if verdict.segment_id in of_candidates]
    cells = people([value.n_users for value in known], catalog)
    return {value.segment_id: cell for value, cell in zip(known, cells, strict=True)}
