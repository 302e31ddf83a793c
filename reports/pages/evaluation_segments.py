"""The gate, segment by segment: differences, verdicts, and who would be harmed."""

from collections.abc import Sequence
from dataclasses import dataclass

from features.codes import ALL_SEGMENTS
from reports import wording
from reports.pages.cells import counted, heads, marked, measured, people, rounded, shared, text
from reports.summaries.formatting import RewardFormat
from reports.summaries.policy_values import PolicyValue, leading_estimators
from reports.summaries.printed_table import Cell, PrintedTable, first_rows, interval_bars
from reports.summaries.suppression import SMALLEST_GROUP
from reports.summaries.verdicts import Verdict, harmed
from reports.wording.sentences import say_in_short

HARMED_LISTED = 20


@dataclass(frozen=True)
class SegmentEvidence:
    """Harmed segments, the worst first, and the table of all."""

    harmed_line: str
    harmed: tuple[str, ...]
    n_harmed_left_out: int
    table: PrintedTable


def segment_evidence(
    values: Sequence[PolicyValue], verdicts: Sequence[Verdict], reward: RewardFormat, *, has_users: bool
) -> SegmentEvidence | None:
    """Return the evidence of single segments, or None where the gate judged none."""
    segments = [verdict for verdict in verdicts if verdict.segment_id != ALL_SEGMENTS]
    if not segments:
        return None
    judged = _judged(values, segments)
    reward = reward.resized([(v.difference, v.lower, v.upper) for v in segments])
    ordered = sorted(segments, key=lambda v: (-v.n_rounds, v.segment_id))
    worst = harmed(segments)
    return SegmentEvidence(
        harmed_line=wording.harmed_line(len(worst)),
        harmed=tuple(
            wording.harmed_segment(v, reward.difference(v.difference, v.lower, v.upper))
            for v in worst[:HARMED_LISTED]
        ),
        n_harmed_left_out=max(0, len(worst) - HARMED_LISTED),
        table=_table(ordered, judged, reward, has_users=has_users),
    )


def _table(
    ordered: list[Verdict], judged: dict[str, PolicyValue], reward: RewardFormat, *, has_users: bool
) -> PrintedTable:
    bars = interval_bars([(v.difference, v.lower, v.upper) for v in ordered])
    users = _users(ordered, judged) if has_users else {}
    champions = sorted({verdict.champion for verdict in ordered})
    rows: list[tuple[Cell, ...]] = []
    whys = []
    for verdict, bar in zip(ordered, bars, strict=True):
        difference = reward.difference(verdict.difference, verdict.lower, verdict.upper)
        rows.append(
            (
                text(verdict.segment_id),
                marked(verdict.verdict, wording.SEGMENT_VERDICTS),
                shared(verdict.harm_probability),
                measured(difference, verdict.difference, bar),
                counted(verdict.n_rounds),
                *((users.get(verdict.segment_id, text(None)),) if has_users else ()),
                rounded(verdict.ess),
                *((text(verdict.champion),) if len(champions) > 1 else ()),
            )
        )
        whys.append(say_in_short(verdict.findings, verdict.candidate, smallest=SMALLEST_GROUP))
    user_head = ("Users#",) if has_users else ()
    champion_head = ("Serves tomorrow",) if len(champions) > 1 else ()
    columns = heads(
        "Segment",
        "Tomorrow",
        "Probability of harm#",
        "Candidate less today's#",
        "Rounds#",
        *user_head,
        "ESS#",
        *champion_head,
    )
    caption = wording.segments_caption(ordered[0].baseline)
    if not champion_head:
        caption += f"; {champions[0]} serves all of them tomorrow"
    return first_rows(caption, columns, rows, "out_verdicts", whys=whys)


def _judged(values: Sequence[PolicyValue], segments: Sequence[Verdict]) -> dict[str, PolicyValue]:
    candidates = {verdict.segment_id: verdict.candidate for verdict in segments}
    own = [value for value in values if candidates.get(value.segment_id) == value.policy]
    leading = leading_estimators(own)[:1]
    return {value.segment_id: value for value in own if value.estimator in leading}


def _users(ordered: list[Verdict], judged: dict[str, PolicyValue]) -> dict[str, Cell]:
    known = [judged[verdict.segment_id] for verdict in ordered if verdict.segment_id in judged]
    cells = people([value.n_users for value in known])
    return {value.segment_id: cell for value, cell in zip(known, cells, strict=True)}
