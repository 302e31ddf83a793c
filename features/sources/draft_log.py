"""The keys of one log in a drafted file: the source of each of its columns, or its default."""

import re
from collections.abc import Iterator
from dataclasses import replace

import dataframely as dy

from features.contracts.logs import LOGS
from features.sources.draft import Line, LogDraft, blank, operand, read_line, text_literal, toml_text
from features.sources.draft_known import (
    ASKED,
    ROW_NUMBER,
    Drafted,
    Seen,
    absent,
    example,
    flag_line,
    is_yes,
    may_repeat,
    own_id,
    unit,
)
from features.sources.draft_purchases import (
    currency_code,
    is_cancelled,
    is_returned,
    line_number,
    order_id,
    price_of_total,
    quantity,
)
from features.sources.experiment_table import experiment_line, stands_in
from features.sources.guesses import ALL_EVENT_WORDS, EVENT_WORDS, PURCHASE_WORDS
from features.sources.headings import is_telling
from features.sources.likely_logs import FEEDS
from features.sources.sample import Column


def draft_log(log: str, logs: list[str], seen: Seen) -> LogDraft:
    """Return the table of one log.

    logs: all logs that the file feeds.
    """
    return LogDraft(log, tuple(_lines(Drafted(log, logs, seen))))


def _lines(known: Drafted) -> Iterator[Line]:
    log, roles = known.log, known.roles
    key = FEEDS[log].get("item_id" if log == "items" else "user_id", "")
    if log in {"items", "users"} and (len(known.logs) > 1 or not roles[key].is_unique):
        yield Line("one_row_per_key", "true", "the last line of each counts")
    if known.elements:
        name, *path = known.elements
        said = "each element of this list is a row; expressions call it element"
        yield Line("elements", toml_text(operand(Column(name, (), path=tuple(path)))), said)
    if conditions := list(_conditions(known)):
        joined = " and ".join(f"({said})" for said in conditions) if len(conditions) > 1 else conditions[0]
        yield Line("where", toml_text(joined))
    for name in LOGS[log].column_names():
        yield from _column(name, known)


def _conditions(known: Drafted) -> Iterator[str]:
    """Yield the conditions under which a line is a row of the log."""
    roles, log = known.roles, known.log
    if known.sample.layout and (total := known.sample.layout.total):
        column = operand(Column(total[0], ()))
        yield f"{column} is null or not starts_with(lower({column}), {text_literal(total[1])})"
    if log == "users" and len(known.logs) > 1:
        # Guests have no id; their lines are not rows of this log, so they are not refused.
        yield f"{operand(roles['user'])} is not null"
    if "event" in roles and log in {"events", "purchases"}:
        name = operand(roles["event"])
        bought = _texts_of(roles["event"], PURCHASE_WORDS)
        if bought:
            yield (
                f"{name} in ({bought})"
                if log == "purchases"
                else f"{name} not in ({bought}) or {name} is null"
            )
    elif _is_click_log(known):
        yield is_yes(roles["click"])


def _is_click_log(known: Drafted) -> bool:
    return known.log == "events" and "event" not in known.roles and "impressions" in known.logs


def _column(name: str, known: Drafted) -> Iterator[Line]:
    roles, kind = known.roles, LOGS[known.log].columns()[name]
    column = roles.get(FEEDS[known.log].get(name, ""))
    special = {
        "event_type": _event_type,
        "event_id": _event_id,
        "order_id": order_id,
        "line": line_number,
        "is_cancelled": is_cancelled,
        "is_returned": is_returned,
        "quantity": quantity,
        "impression_id": _impression_id,
        "ad_impression_id": _impression_id,
        "currency_code": currency_code,
        "signup_at": _signup,
    }
    experiment = known.seen.experiment
    if experiment and column is None and stands_in(name):
        yield from experiment_line(name, experiment, is_shown=known.log == "impressions")
    elif name in special:
        yield from special[name](name, column, known)
    elif column is None and name == "price_cents" and known.log == "purchases":
        yield from price_of_total(known)
    elif (
        column is not None
        and isinstance(kind, dy.Datetime | dy.Date)
        and "clock" in roles
        and _is_day(column)
    ):
        said = f"{operand(column)} || ' ' || {operand(roles['clock'])}"
        yield Line(f"expressions.{name}", toml_text(said), "date and time of day are in two columns")
    elif column is not None and isinstance(kind, dy.Bool):
        yield flag_line(name, column)
    elif column is not None:
        line = read_line(name, column, example(column, FEEDS[known.log][name]))
        if isinstance(kind, dy.Datetime | dy.Date) and not is_telling("time", column.label):
            line = replace(line, said=f"by its heading alone: is this {kind.description}?", kind="assumed")
        yield line
        yield from unit(name, column, known)
    else:
        yield from absent(name, known)


def _event_type(_name: str, column: Column | None, known: Drafted) -> Iterator[Line]:
    if column is None:
        if _is_click_log(known):
            yield Line("constants.event_type", '"click"', "from the flag of each impression")
            return
        words = set(re.split(r"[^a-z]+", known.seen.stem))
        named = [event for event, texts in EVENT_WORDS.items() if words & texts]
        if len(named) == 1:
            yield Line("constants.event_type", toml_text(named[0]), "by the file's name", "assumed")
        else:
            yield blank("constants.event_type", ASKED["event_type"])
        return
    texts = {
        text: event
        for text in sorted(set(column.values))
        for event, known_words in EVENT_WORDS.items()
        if text.lower() in known_words and text != event
    }
    if texts or column.path:
        whens = " ".join(f"when {text_literal(text)} then '{event}'" for text, event in texts.items())
        said = f"case {operand(column)} {whens} else {operand(column)} end" if whens else operand(column)
        yield Line("expressions.event_type", toml_text(said))
    else:
        yield Line("columns.event_type", toml_text(column.name))


def _event_id(name: str, column: Column | None, known: Drafted) -> Iterator[Line]:
    if _is_click_log(known):
        shown = known.roles.get("impression") or own_id(known)
        if shown is not None:
            yield Line(
                "expressions.event_id", toml_text(f"'click:' || {operand(shown)}"), "one click an impression"
            )
            return
    yield from _id_line(name, column, known, "distinguish events")


def _impression_id(name: str, column: Column | None, known: Drafted) -> Iterator[Line]:
    if known.log == "events":
        shown = column or (own_id(known) if _is_click_log(known) else None)
        if shown is not None:
            yield read_line(name, shown)
        elif _is_click_log(known):
            yield Line("ids.impression_id", ROW_NUMBER, "the impression is on the same line")
        return
    yield from _id_line(name, column, known, "distinguish impressions")


def _id_line(name: str, column: Column | None, known: Drafted, what: str) -> Iterator[Line]:
    found = column or own_id(known)
    if found is not None and known.elements and not found.inside:
        yield Line(f"expressions.{name}", toml_text(f"{operand(found)} || ':' || element_number"))
        return
    if found is not None:
        said = "" if found.is_unique else "ids repeat: a later line replaces an earlier one with the same id"
        yield read_line(name, found, said)
        return
    then = 'If so, name the columns that distinguish them, as in ["visit", "at"]'
    said = f"no id found to {what}. {may_repeat(known)} {then}"
    yield Line(f"ids.{name}", ROW_NUMBER, said, "assumed")


def _signup(_name: str, column: Column | None, known: Drafted) -> Iterator[Line]:
    found = column or (known.roles.get("time") if known.logs == ["users"] else None)
    if found is not None:
        yield read_line("signup_at", found, example(found, "time"))


def _is_day(column: Column) -> bool:
    return column.times is not None and column.times.is_day


def _texts_of(column: Column, words: set[str]) -> str:
    return ", ".join(text_literal(text) for text in sorted(set(column.values)) if text.lower() in words)


def odd_words(column: Column) -> list[str]:
    """Return the words of an event column that are not events yet; each line with one will be rejected."""
    return sorted(column.words - ALL_EVENT_WORDS)
