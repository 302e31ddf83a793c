"""The blanks of a mapping that are still to be filled in, with the meaning of each."""

from collections.abc import Iterator, Mapping, Sequence

from features.contracts.logs import LOGS
from features.errors import UsageError

BLANK = "?"

_OF_A_FILE = {
    "time_zone": "the time zone of the times, such as Europe/Berlin",
    "time_format": "the format of the times, such as %d/%m/%Y %H:%M",
    "decimal": 'the decimal sign, "." or ","',
    "thousands": 'the thousands separator, "." or ","; remove the line if there is none',
    "currency_sign": "the currency sign of the amounts",
    "delimiter": "the separator of the fields",
    "encoding": "the encoding of the text, such as cp1252",
}
_OF_A_KEY = {
    "columns": "the column with this value",
    "constants": "the value in every row",
    "expressions": "an expression over the line's columns",
    "ids": 'the columns that together name a row, as in ["visit", "step"], or "row number"',
    "units": "currency, cents or millionths",
}


def blanks(tables: Sequence[Mapping[str, object]]) -> Iterator[tuple[str, str]]:
    """Yield each blank of the `[[files]]` tables: its key and its meaning.

    >>> list(blanks([{"path": "a.csv", "events": {"constants": {"event_type": "?"}}}]))
    [('files[0].events.constants.event_type', 'what the user did with the item: the value in every row')]
    """
    for number, table in enumerate(tables):
        for name, value in table.items():
            if value == BLANK:
                yield f"files[{number}].{name}", _OF_A_FILE.get(name, "a value")
            elif name in LOGS and isinstance(value, Mapping):
                yield from _of_log(f"files[{number}].{name}", name, value)


def refuse_blanks(tables: Sequence[Mapping[str, object]]) -> None:
    """Raise UsageError with all blanks that are left to fill in, if there are any."""
    found = list(blanks(tables))
    if found:
        said = "; ".join(f"{key} = {BLANK!r}: {what}" for key, what in found)
        count = "1 blank is" if len(found) == 1 else f"{len(found)} blanks are"
        raise UsageError(f"{count} left to fill in. {said}. Nothing is loaded until then.")


def _of_log(key: str, log: str, table: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    columns = LOGS[log].columns()
    for kind, values in table.items():
        for name, value in values.items() if isinstance(values, Mapping) else ():
            if value in (BLANK, [BLANK]):
                meaning = columns[name].description if name in columns else ""
                yield f"{key}.{kind}.{name}", f"{meaning}: {_OF_A_KEY.get(kind, 'a value')}"
