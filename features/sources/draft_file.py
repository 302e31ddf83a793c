"""The keys of a drafted file itself: its delimiter and encoding, its null words, its numbers and times."""

import re
from collections.abc import Iterator, Mapping, Sequence, Set

import dataframely as dy

from features.contracts.logs import LOGS
from features.sources.draft import Line, blank, comment, toml_text
from features.sources.likely_logs import FEEDS
from features.sources.local_time import EXCEL_DAYS
from features.sources.money import AMBIGUOUS
from features.sources.number_forms import NumberForm
from features.sources.sample import Column, Sample
from features.sources.time_forms import TimeForm

NUMBERS = (
    *("quantity", "price", "total", "cost", "revenue", "conversions", "propensity", "n_impressions", "click"),
    *("line", "slot"),
)
# Where `none` or `NA` may be a name: of a category, or of Namibia.
LABELS = {
    "category",
    "brand",
    "region",
    "device",
    "surface",
    "channel",
    "segment",
    "creative",
    "policy",
    "event",
}

_WHY = {
    "only one fits": "",
    "future": "{other} fits too, but with it some lines are later than the file was written",
    "line order": "{other} fits too; with this format the lines are in order of time",
    "neighbors": "{other} fits too; with this format neighboring lines are nearer in time",
}


def file_lines(
    sample: Sample, roles: Mapping[str, Column], logs: Sequence[str], *, has_arms: bool = False
) -> Iterator[Line]:
    """Yield the keys of a file's table that differ from the loader's defaults.

    has_arms: its items are the arms of an experiment, of which one may be called `none`.
    """
    layout, text = sample.layout, sample.text
    if layout and layout.delimiter != ",":
        said = "as its line sep= says" if layout.has_separator_line else ""
        yield Line("delimiter", toml_text(layout.delimiter), said)
    if text and text.encoding:
        yield Line(
            "encoding",
            toml_text(text.encoding),
            "the bytes are not UTF-8: check letters with accents",
            "assumed",
        )
    if layout and layout.n_above:
        yield Line("skip_lines", str(layout.n_above), "lines above the header")
    if sample.is_padded:
        yield Line("trim", "true", "spaces around values are not part of them")
    yield from _null_values(sample, roles, LABELS | {"item"} if has_arms else LABELS)
    used = {
        role: column for role, column in roles.items() if any(role in FEEDS[log].values() for log in logs)
    }
    yield from _number_lines(sample, {role: column for role, column in roles.items() if role in NUMBERS})
    if "time" in used:
        kinds = {
            type(LOGS[log].columns()[name])
            for log in logs
            for name, role in FEEDS[log].items()
            if role == "time"
        }
        yield from _time_lines(used["time"], roles.get("clock"), has_moments=dy.Datetime in kinds)


def _null_values(sample: Sample, roles: Mapping[str, Column], are_labels: Set[str]) -> Iterator[Line]:
    telling = {column.label for role, column in roles.items() if role not in are_labels}
    labels = {column.label for role, column in roles.items() if role in are_labels}
    found = {word: names for word, names in sample.null_values.items() if telling.intersection(names)}
    if found:
        words = ", ".join(map(toml_text, found))
        names = list(dict.fromkeys(name for names in found.values() for name in names if name in telling))
        said = f"mean null, in {', '.join(map(comment, names))}"
        if other := sorted({name for names in found.values() for name in names if name in labels}):
            said += f"; they do so in {', '.join(map(comment, other))} too"
        yield Line("null_values", f"[{words}]", said)


def _number_lines(sample: Sample, numbers: Mapping[str, Column]) -> Iterator[Line]:
    """Yield the lines on number formats; a question where two formats fit all columns."""
    if sample.file_format == "parquet":
        return
    # Digits alone are the same in every form.
    telling = [
        column
        for column in numbers.values()
        if column.is_number and not (column.is_typed or column.all_match(r"-?\d+([eE]\d+)?"))
    ]
    if not telling:
        return
    forms = shared_forms([column.number_forms for column in telling])
    names = ", ".join(comment(column.label) for column in telling)
    signs = {form.currency_sign for column in telling for form in column.number_forms[:1]} - {""}
    if len(forms) > 1:
        first, second = (_shown(form) for form in forms[:2])
        said = f"{names}: two readings fit, {first} and {second}; a number of another form is rejected"
        yield blank("decimal", f'the decimal sign, "." or ",". {said}')
        yield blank("thousands", "the thousands separator; remove this line if there is none")
    elif not forms:
        yield blank("decimal", f"{names} are written in different forms; read one of them by an expression")
    else:
        [form] = forms
        has_percent = any("%" in value for column in telling for value in column.values)
        has_thousandths = any(_has_two_readings(column) for column in telling)
        if form.decimal != "." or form.thousands or signs or has_percent or has_thousandths:
            said = "amounts are rounded to whole cents" if has_thousandths and not form.thousands else ""
            yield Line("decimal", toml_text(form.decimal), said)
        if form.thousands:
            yield Line("thousands", toml_text(form.thousands))
    if len(signs) == 1:
        yield Line("currency_sign", toml_text(signs.pop()))
    elif signs:
        yield blank("currency_sign", f"{names} have different signs")


def _has_two_readings(column: Column) -> bool:
    return any(re.fullmatch(AMBIGUOUS, value) for value in column.values)


def shared_forms(columns: Sequence[Sequence[NumberForm]]) -> list[NumberForm]:
    """Return the forms that can be those of all columns: a column may do without the sign for thousands.

    >>> comma, point = NumberForm(","), NumberForm(".")
    >>> shared_forms([[point, NumberForm(",", ".")], [comma]])
    [NumberForm(decimal=',', thousands='.', currency_sign='')]
    """
    bare = [{(form.decimal, form.thousands) for form in forms} for forms in columns]
    pairs = dict.fromkeys(
        pair for forms in bare for pair in sorted(forms, key=lambda pair: (pair[0] != ".", pair[1]))
    )
    fits = [
        (decimal, thousands)
        for decimal, thousands in pairs
        if all({(decimal, thousands), (decimal, "")} & forms for forms in bare)
    ]
    # The simpler of two that differ by a sign that some column has is not the whole story.
    fits = [pair for pair in fits if pair[1] or not any(other[0] == pair[0] and other[1] for other in fits)]
    return [NumberForm(decimal, thousands) for decimal, thousands in fits]


def _shown(form: NumberForm) -> str:
    said = f'decimal = "{form.decimal}"'
    return f'{said} with thousands = "{form.thousands}"' if form.thousands else f"{said} without thousands"


def _time_lines(column: Column, clock: Column | None, *, has_moments: bool) -> Iterator[Line]:
    form = column.times
    name = comment(column.label)
    if form is None and column.all_match(r"(3[6-9]|[45]\d|6[0-5])\d{3}"):
        form = TimeForm("excel_days", EXCEL_DAYS)
        said = "numbers of five digits under a heading of dates: days as spreadsheets count them"
        yield Line("time_format", toml_text(EXCEL_DAYS), said, "assumed")
    elif form is None:
        yield blank(
            "time_format", f"how {name} is written, such as %d.%m.%Y %H:%M; no one form fits all lines"
        )
        form = TimeForm("epoch" if column.all_match(r"\d+") else "pattern")
    elif form.decision == "undecided":
        yield blank(
            "time_format", f"{form.pattern} and {form.other} both fit {name}: is the day first, or the month?"
        )
    elif has_moments and clock is not None and form.is_day:
        together = f"{form.pattern or '%Y-%m-%d'} {_clock_pattern(clock)}"
        yield Line("time_format", toml_text(together), "date and time of day together")
    elif form.pattern:
        said = _WHY[form.decision].format(other=form.other)
        yield Line("time_format", toml_text(form.pattern), said, "assumed" if said else "found")
    elif form.kind == "day" and has_moments:
        yield Line("time_format", '"%Y-%m-%d"', "days without a time of day: midnight")
    if has_moments and form.needs_zone:
        said = "the times have no offset: name their time zone"
        yield Line("time_zone", '"UTC"', said, "assumed")


def _clock_pattern(column: Column) -> str:
    """Return the pattern of times of day, of 24 or 12 hours, with or without seconds."""
    value = column.values[0] if column.values else ""
    seconds = ":%S" if value.count(":") > 1 else ""
    return f"%I:%M{seconds}{' ' * (' ' in value)}%p" if value[-1:] in "mM" else f"%H:%M{seconds}"
