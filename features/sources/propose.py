"""A first `[[files]]` table for a file that nobody has described yet, to be corrected by hand."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from features.contracts.logs import LOGS
from features.sources.expressions import WORDS
from features.sources.guesses import EVENT_WORDS, PURCHASE_WORDS, guess_roles, looks_personal
from features.sources.likely_logs import FEEDS, STAND_INS, likely_logs
from features.sources.local_time import EPOCHS
from features.sources.sample import Column, Sample, take_sample

EXAMPLE_CHARACTERS = 40
# Somebody's words may name somebody: no example of them.
FREE_TEXT_CHARACTERS = 80


def propose(path: Path) -> str:
    """Return a commented `[[files]]` table for a file: each column with its guess and an example value.

    Columns that look personal are named, without a value, and left out; a user id's values are not shown
    either, and the examples of different columns are not of one line. What a log needs and the file lacks
    stands there as a comment. The same file gives the same text.

    Raises UsageError when the ending of the name tells no format, InputDataError when the file can't be read.
    """
    sample = take_sample(path)
    roles = guess_roles(sample.columns)
    personal = [
        column for column in sample.columns if looks_personal(column) and column is not roles.get("user")
    ]
    roles = {role: column for role, column in roles.items() if column not in personal}
    logs = likely_logs(roles)
    used = {roles[role].name for log in logs for role in FEEDS[log].values() if role in roles}
    rest = [column for column in sample.columns if column.name not in used and column not in personal]
    lines = [
        "# A proposal from the look of the first lines. Check every line; a # in front leaves one out.",
        *_file_lines(path, sample, roles),
        *(line for log in logs for line in _log_lines(log, logs, roles)),
        *(f"# left out, because it looks personal: {_comment(column.name)}" for column in personal),
        *(
            f"# not used: {_comment(column.name)}{_example(column, hidden=column is roles.get('user'))}"
            for column in rest
        ),
        *(_missing_log(log, roles) for log in FEEDS if log not in logs),
    ]
    return "\n".join(lines) + "\n"


def _file_lines(path: Path, sample: Sample, roles: Mapping[str, Column]) -> Iterator[str]:
    yield "[[files]]"
    yield f"path = {_toml(path.name)}"
    if sample.delimiter != ",":
        yield f"delimiter = {_toml(sample.delimiter)}"
    form = roles["time"].time_form if "time" in roles else None
    if form in EPOCHS or (form and "%" in form):
        yield f"time_format = {_toml(form)}"
    if form == "naive" or (form and "%" in form):
        yield 'time_zone = "UTC"  # the times carry no offset: say where the clock stood'


def _log_lines(log: str, logs: list[str], roles: Mapping[str, Column]) -> Iterator[str]:
    yield ""
    yield f"[files.{log}]"
    # An item or a user stands on many lines of a file of events.
    if log in {"items", "users"} and len(logs) > 1:
        yield "one_row_per_key = true  # the last line of each counts"
    splits_events = "event" in roles and log in {"events", "purchases"}
    if splits_events:
        yield from _event_lines(log, roles["event"])
    for name in LOGS[log].column_names():
        if name == "event_type" and splits_events:
            continue
        column = roles.get(FEEDS[log].get(name, ""))
        yield from _column_lines(log, name, column) if column else _absent_lines(log, name, roles)


def _column_lines(log: str, name: str, column: Column) -> Iterator[str]:
    yield f"{_read(name, column)}{_example(column, hidden=name == 'user_id')}"
    in_cents = (LOGS[log].columns()[name].metadata or {}).get("unit") == "cents"
    if in_cents and "cent" not in column.name.lower():
        yield f'units.{name} = "currency"  # 35.79 is 3579 cents; or "cents", or "millionths"'


def _absent_lines(log: str, name: str, roles: Mapping[str, Column]) -> Iterator[str]:
    """Say what stands in for a column that the file lacks, or that it is needed."""
    kind = LOGS[log].columns()[name]
    if name == "order_id" and {"session", "time"} <= roles.keys():
        parts = f"[{_toml(roles['session'].name)}, {_toml(roles['time'].name)}]"
        yield f"ids.order_id = {parts}  # no order found; what a visit bought at one moment is one"
    elif name == "propensity":
        yield "# constants.propensity = 0.3333  # in a randomized test of three"
    elif name in STAND_INS and not kind.nullable:
        line, why = STAND_INS[name]
        yield f"{line}  # {why}"
    elif not kind.nullable:
        yield f'# columns.{name} = ""  # needed, and not found: {kind.description}'


def _event_lines(log: str, column: Column) -> Iterator[str]:
    """Split the lines of an event file between events and purchases, and rename the words of events."""
    name = _operand(column)
    bought = ", ".join(f"'{word}'" for word in sorted(set(column.values)) if word.lower() in PURCHASE_WORDS)
    if bought:
        said = (
            f"{name} in ({bought})" if log == "purchases" else f"{name} not in ({bought}) or {name} is null"
        )
        yield f"where = {_toml(said)}"
    if log != "events":
        return
    words = {
        word: event
        for word in sorted(set(column.values))
        for event, known in EVENT_WORDS.items()
        if word.lower() in known and word != event
    }
    if words:
        whens = " ".join(f"when '{word}' then '{event}'" for word, event in words.items())
        yield f"expressions.event_type = {_toml(f'case {name} {whens} else {name} end')}"
    else:
        yield f"columns.event_type = {_toml(column.name)}"
    odd = sorted(column.words - PURCHASE_WORDS - set().union(*EVENT_WORDS.values()))
    if odd:
        yield f"# these words of {_comment(column.name)} are no events yet: {_comment(', '.join(odd))}"


def _missing_log(log: str, roles: Mapping[str, Column]) -> str:
    needed = [
        name
        for name, kind in LOGS[log].columns().items()
        if not kind.nullable and name not in STAND_INS and FEEDS[log].get(name) not in roles
    ]
    why = f"it lacks {', '.join(needed)}" if needed else "nothing speaks of them"
    return f"# no {log} here: {why}"


def _example(column: Column, *, hidden: bool = False) -> str:
    if hidden:
        return "  # becomes a keyed pseudonym before anything is stored"
    if not column.values:
        return "  # empty in the first lines"
    if max(map(len, column.values)) > FREE_TEXT_CHARACTERS:
        return "  # free text"
    return f"  # e.g. {_comment(column.example)}"


def _read(name: str, column: Column) -> str:
    """Return the line that reads a column; an id that a spreadsheet made 17850.0 of becomes 17850 again."""
    if name.endswith("_id") and column.all_match(r"\d+\.0"):
        said = f"regexp_replace({_operand(column)}, '[.]0$', '')"
        return f"expressions.{name} = {_toml(said)}"
    return f"columns.{name} = {_toml(column.name)}"


def _operand(column: Column) -> str:
    """Return the column as an expression names it."""
    if column.name.isidentifier() and column.name.lower() not in WORDS:
        return column.name
    return '"' + column.name.replace('"', '""') + '"'


def _comment(text: str) -> str:
    """Return the text cut and without what could end a comment."""
    plain = re.sub(r"[\x00-\x1f\x7f]+", " ", text)
    return plain if len(plain) <= EXAMPLE_CHARACTERS else f"{plain[:EXAMPLE_CHARACTERS]}…"


def _toml(text: str) -> str:
    """Return the text as a TOML string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    escaped = re.sub(r"[\x00-\x1f\x7f]", lambda match: f"\\u{ord(match[0]):04x}", escaped)
    return f'"{escaped}"'
