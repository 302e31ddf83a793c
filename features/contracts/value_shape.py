"""The shape of a value that can't be loaded: what is kept of it in place of its text.

A column may be shifted, and then the text of any column may be an address, a telephone number or a user id.
Its kind and counts of its characters help to find the fault, and name nobody.
"""

from collections.abc import Mapping

from features.contracts.finding_units import Unit

SHAPE: Mapping[str, Unit] = {
    "kind": Unit.KIND,
    "characters": Unit.COUNT,
    "digits": Unit.COUNT,
    "letters": Unit.COUNT,
    "at_signs": Unit.COUNT,
}
"""The numbers of a shape, as findings carry them."""


def shape_sql(text: str) -> dict[str, str]:
    """Return the SQL of each number of a shape, from that of a text which is not null."""
    return {
        "kind": f"CASE WHEN TRY_CAST({text} AS DOUBLE) IS NULL THEN 'text' ELSE 'number' END",
        "characters": f"length({text})",
        "digits": digits_sql(text),
        "letters": _counted(text, r"[^\pL]"),
        "at_signs": _counted(text, "[^@]"),
    }


def digits_sql(text: str) -> str:
    """Return the SQL of the number of digits in a text."""
    return _counted(text, "[^0-9]")


def _counted(text: str, others: str) -> str:
    return f"length(regexp_replace({text}, '{others}', '', 'g'))"
