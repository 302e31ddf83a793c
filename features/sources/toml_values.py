"""The values of a `[[files]]` table, each of its kind or refused in a sentence that names its key."""

import difflib
from collections.abc import Collection, Mapping

from features.errors import UsageError


def refuse_unknown(table: Mapping[str, object], known: Collection[str], key: str, what: str) -> None:
    """Refuse a key that is not among the known ones; a near one is offered."""
    for name in table:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}."
            raise UsageError(f"{key}.{name} is not a known {what}; {hint}")


def table_of(table: Mapping[str, object], name: str, key: str) -> Mapping[str, object]:
    """Return the table under a key; an empty one where there is none."""
    value = table.get(name, {})
    if not isinstance(value, Mapping):
        raise UsageError(f"{key}.{name} must be a table.")
    return value


def text_of(table: Mapping[str, object], name: str, key: str, default: str | None = None) -> str:
    """Return the text under a key; `default` where there is none."""
    value = table.get(name, default)
    if not isinstance(value, str) or not (value or default == ""):
        raise UsageError(f"{key}.{name} must be a text in quotes.")
    return value


def flag_of(table: Mapping[str, object], name: str, key: str) -> bool:
    """Return true or false; false where nothing is said."""
    value = table.get(name, False)
    if not isinstance(value, bool):
        raise UsageError(f"{key}.{name} = {value!r} must be true or false, without quotes.")
    return value


def texts_of(table: Mapping[str, object], name: str, key: str) -> tuple[str, ...]:
    """Return one text or several; none where nothing is said."""
    value = table.get(name, [])
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) and text for text in texts):
        raise UsageError(f"{key}.{name} must be a text in quotes, or a list of them.")
    return tuple(texts)


def count_of(table: Mapping[str, object], name: str, key: str) -> int:
    """Return a number of lines; 0 where nothing is said."""
    value = table.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise UsageError(f"{key}.{name} must be a number of lines.")
    return value
