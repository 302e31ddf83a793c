"""The output of `metacart init --from`: what to fill in, what to check, and what a trial load would lose."""

from collections.abc import Iterator, Sequence

from features.contracts.findings import Finding
from features.sources.draft import Kind
from features.sources.propose import Proposal
from flows.commands.trial_load import N_LINES, ColumnTrial, FileTrial
from reports.wording.sentences import say

_HEAD = ("log", "column", "filled", "empty", "refused", "from", "to")


def draft_report(proposals: Sequence[Proposal], trials: Sequence[FileTrial], config: str) -> Iterator[str]:
    """Yield the lines about new drafts, in the order of what to do next."""
    n_blanks = 0
    titles: dict[Kind, str] = {
        "blank": "Fill in, before anything is loaded",
        "assumed": "Check what is assumed",
    }
    for kind, title in titles.items():
        found = [
            (proposal, log, line) for proposal in proposals for log, line in proposal.draft.of_kind(kind)
        ]
        if kind == "blank":
            n_blanks = len(found)
        if found:
            yield f"\n{title}:"
        for number, (proposal, log, line) in enumerate(found, start=1):
            said = line.said.removeprefix("FILL IN: ")
            place = f"{proposal.path}, {log + ', ' if log else ''}"
            yield f"  {number}. {place}{line.key}{'' if kind == 'blank' else f' = {line.value}'}: {said}"
    for proposal in proposals:
        if proposal.draft.unused:
            yield f"\n{proposal.path}: not used: {', '.join(proposal.draft.unused)}"
        if not proposal.draft.logs:
            yield f"\n{proposal.path}: {proposal.draft.remarks[0]}. Its table is not written."
    yield from trial_table(trials)
    if n_blanks:
        yield f"\nNext: fill in {config}, then metacart init {config} --check"
    else:
        yield f"\nNext: check {config}, then metacart run --config {config}"


def trial_table(trials: Sequence[FileTrial]) -> Iterator[str]:
    """Yield, for each file, the counts of each column, and what to check again."""
    if trials:
        yield f"\nThe first {N_LINES:,} lines of one file of each table, loaded as at night:"
    for trial in trials:
        if trial.refusal:
            yield f"\n{trial.name}: {trial.refusal}"
            continue
        n_refused = trial.n_lines - trial.n_loaded
        more = f"; {trial.n_more} more of this table not tried" if trial.n_more else ""
        counts = f"{_lines(trial.n_lines)}, {trial.n_loaded:,} loaded, {n_refused:,} refused"
        yield f"\n{trial.name}: {counts}{more}"
        yield from _aligned([_HEAD, *(_row(column) for column in trial.columns)])
        doubts = filter(None, map(_doubt, trial.columns))
        yield from (f"  ! {say([found])}" for found in (*trial.refused, *doubts))


def _lines(n_lines: int) -> str:
    return "1 line" if n_lines == 1 else f"{n_lines:,} lines"


def _row(column: ColumnTrial) -> tuple[str, ...]:
    counts = (f"{number:,}" for number in (column.n_filled, column.n_empty, column.n_refused))
    if column.is_blank:
        return column.log, column.column, *counts, "(blank)", ""
    if column.column.startswith("is_"):
        return column.log, column.column, *counts, f"{column.lowest} true", ""
    if column.highest is None:
        return column.log, column.column, *counts, f"{column.lowest} different" if column.n_filled else "", ""
    return column.log, column.column, *counts, column.lowest or "", column.highest


def _doubt(column: ColumnTrial) -> Finding | None:
    """Return a warning about what is easily overlooked: an empty column, or a flag that is never set."""
    n_rows = column.n_filled + column.n_empty
    if column.is_blank or not n_rows:
        return None
    name = f"{column.log}.{column.column}"
    if not column.n_filled:
        return Finding("column_empty", name)
    if column.column in {"is_cancelled", "is_clicked"} and column.lowest == "0":
        return Finding("flag_never_true", name)
    if column.n_empty * 10 > n_rows:
        return Finding("often_empty", name, {"n_empty": column.n_empty, "n_rows": n_rows})
    return None


def _aligned(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEAD))]
    for row in rows:
        # Counts stand to the right, words to the left.
        cells = [
            text.rjust(width) if place in {2, 3, 4} else text.ljust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield f"  {'  '.join(cells)}".rstrip()
