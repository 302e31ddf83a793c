"""Words that databases and spreadsheets write for null."""

from collections.abc import Mapping, Sequence

NULL_WORDS = (
    *(
        "NULL",
        "null",
        "Null",
        "(null)",
        r"\N",
        "NA",
        "N/A",
        "n/a",
        "#N/A",
        "nan",
        "NaN",
        "NAN",
        "None",
        "none",
    ),
    *("nil", "undefined", "-", "--", "—"),
)


def null_words(fields: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Return the null words that some columns have, each with those columns.

    A column with only such words is never filled; it counts too.

    >>> null_words({"user": ["u1", "NULL", "u2"], "item": ["a", "b", "-"]})
    {'NULL': ('user',), '-': ('item',)}
    """
    seen = {name: set(values) for name, values in fields.items()}
    found = {word: tuple(name for name, values in seen.items() if word in values) for word in NULL_WORDS}
    return {word: names for word, names in found.items() if names}
