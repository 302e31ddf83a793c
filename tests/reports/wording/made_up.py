"""A made-up language: every literal piece of an English text stands in ⟦marks⟧, and digits are its own.

What a placeholder brings stands outside of the marks. So an English word that code hands to a text, joins or
formats by itself is seen, and so is a number that the language did not write.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import date, datetime
from string import Formatter

from features.contracts.finding_codes import CODES
from features.contracts.finding_units import TEXTS
from reports.wording.catalog import Catalog
from reports.wording.english import ENGLISH
from reports.wording.number_formats import Numbers

DIGITS = "٠١٢٣٤٥٦٧٨٩"
_OWN = str.maketrans("0123456789", DIGITS)

# Numbers that findings' texts format themselves, by the language's own specification.
_NUMBERS_OF_FINDINGS = {
    "digits",
    "resolution_digits",
    "below",
    "above",
    "at_least",
    "at_most",
    *(name for code in CODES.values() for name, unit in code.numbers.items() if unit not in TEXTS),
}


def marked(text: str, inside: frozenset[str] = frozenset()) -> str:
    """Return the template with its literal pieces in marks; inside: placeholders that are in marks too."""
    marks = ""
    for literal, name, spec, conversion in Formatter().parse(text):
        marks += f"⟦{literal.replace('{', '{{').replace('}', '}}')}⟧" if literal else ""
        if name is not None:
            placeholder = f"{{{name}{f'!{conversion}' if conversion else ''}{f':{spec}' if spec else ''}}}"
            # A date of a finding has a format of its own too.
            marks += f"⟦{placeholder}⟧" if name in inside or "%" in (spec or "") else placeholder
    return marks


class MadeUpNumbers(Numbers):
    """Numbers in digits that nothing but the language can have written."""

    def fixed(self, number: float | None, decimals: int, *, signed: bool = False) -> str:
        return super().fixed(number, decimals, signed=signed).translate(_OWN)

    def plain(self, number: float, digits: int = 6) -> str:
        return super().plain(number, digits).translate(_OWN)


def _day(day: date) -> str:
    return f"⟦{day:%d.%m.%Y}⟧".translate(_OWN)


def _minute(time: datetime) -> str:
    return f"⟦{time:%H:%M %d.%m.%Y}⟧".translate(_OWN)


def _numbers() -> Numbers:
    signs = {field.name: getattr(ENGLISH.numbers, field.name) for field in fields(Numbers)}
    templates = {name: marked(sign) for name, sign in signs.items() if "{" in str(sign)}
    own = {"thousands": "٬", "decimal": "٫", "day": _day, "minute": _minute}
    return MadeUpNumbers(**signs | templates | own)


def _all_marked(texts: Mapping[str, str]) -> dict[str, str]:
    return {key: marked(text) for key, text in texts.items()}


def _findings(texts: Mapping[str, str]) -> dict[str, str]:
    return {key: marked(text, frozenset(_NUMBERS_OF_FINDINGS)) for key, text in texts.items()}


MADE_UP: Catalog = replace(
    ENGLISH,
    tag="x-made-up",
    numbers=_numbers(),
    # A small share stands inside the marks of a percentage, which is marked as a whole.
    texts=_all_marked(ENGLISH.texts) | {"value.share_below": ENGLISH.texts["value.share_below"]},
    glossary=tuple((f"⟦{term}⟧", f"⟦{meaning}⟧") for term, meaning in ENGLISH.glossary),
    sentences=_findings(ENGLISH.sentences),
    clauses=_findings(ENGLISH.clauses),
    short=_findings(ENGLISH.short),
    rules=_findings(ENGLISH.rules),
    bounds=_findings(ENGLISH.bounds),
    words=_all_marked(ENGLISH.words),
    subjects=_all_marked(ENGLISH.subjects),
    areas={area: _all_marked(names) for area, names in ENGLISH.areas.items()},
    between_names="⟦, ⟧",
    last_name="⟦ and ⟧",
    between_bounds="⟦ and ⟧",
    between_causes="⟦; ⟧",
    between_sentences="⟦ ⟧",
    alone=lambda clause: f"{clause}⟦.⟧",
)
