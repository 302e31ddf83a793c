"""A language: every text that a reader sees, and nothing else.

A catalog holds texts. What is said, in which variant, and which digits a number has, is decided outside,
alike for all languages. Order of words, plural forms, signs and the form of dates are the language's own.

Findings are said by `reports.wording.sentences`: each text is a `str.format` template over the finding's
numbers by name, with the language's own format of each. Templates also know `subject`, and some a few names
more (`english/findings.py` says which).

All other texts have a key, and placeholders that arrive written: `Catalog.text` writes counts and dates by
the language's `numbers`, and its caller all that has digits to choose.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from markupsafe import Markup, escape

from reports.wording.number_formats import Numbers

OTHER = "other"
"""The plural category whose text has the key itself; the others that CLDR names follow it: `key.one`."""

Written = str | int | date
"""What a placeholder may be given: a text, a count, a date or a time."""


@dataclass(frozen=True)
class Catalog:
    """The texts of one language.

    tag: its BCP 47 tag. numbers: how it writes numbers and dates.
    texts: key → a text that is not a finding. glossary: term and meaning, in the language's order.
    sentences: code → a sentence by itself. A variant has a key of its own, such as `segment_kept.unknown`.
    clauses: code of a cause → what it says inside the finding that it causes, with the variants that hide a
        small count.
    short: code → the finding without its numbers, of the one policy that the reader has in mind; `.named`
        for another policy.
    rules: code of a rejected line, or of what is said of a file → the rule behind it.
    bounds: a bound of a number → how it is said.
    words, subjects: the words and the subjects that are not names → how they are said.
    areas: an area as a subject → more names that its templates know: rows, unknown_without.
    plurals: code or key → the count that decides the plural form. form: a count → its category, as CLDR names
        it: one, few, other.
    between_names, last_name, between_bounds, between_causes, between_sentences: what lists are joined by;
        last_name: before the last of names that belong together.
    alone: a clause → the sentence that says it by itself.
    """

    tag: str
    numbers: Numbers
    texts: Mapping[str, str]
    glossary: tuple[tuple[str, str], ...]
    sentences: Mapping[str, str]
    clauses: Mapping[str, str]
    short: Mapping[str, str]
    rules: Mapping[str, str]
    bounds: Mapping[str, str]
    words: Mapping[str, str]
    subjects: Mapping[str, str]
    areas: Mapping[str, Mapping[str, str]]
    plurals: Mapping[str, str]
    form: Callable[[int], str]
    between_names: str
    last_name: str
    between_bounds: str
    between_causes: str
    between_sentences: str
    alone: Callable[[str], str]

    def text(self, key: str, /, **values: Written) -> str:
        """Return the text of this key with its placeholders filled, in the plural form of its count."""
        return self._template(key, values).format_map(self._all_written(values))

    def markup(self, key: str, /, **values: Written) -> Markup:
        """Return the same for a page, where a value may be markup; everything else is escaped."""
        return Markup(escape(self._template(key, values))).format(**self._all_written(values))  # noqa: S704

    def text_or(self, key: str, name: str) -> str:
        """Return the text of this key, or the name where the language has no such text."""
        return self.texts.get(key, name)

    def listed(self, names: Iterable[str]) -> str:
        """Return names in a row."""
        return self.between_names.join(names)

    def together(self, names: Sequence[str]) -> str:
        """Return names that belong together; at least one."""
        if len(names) == 1:
            return names[0]
        return f"{self.listed(names[:-1])}{self.last_name}{names[-1]}"

    def paragraph(self, *sentences: str) -> str:
        """Return sentences after one another, without those that are empty."""
        return self.between_sentences.join(filter(None, sentences))

    def plural(self, key: str, counts: Mapping[str, object]) -> str:
        """Return the plural category that a code or key takes with these counts."""
        counted = counts.get(self.plurals.get(key, ""))
        return self.form(counted) if isinstance(counted, int) else OTHER

    def _template(self, key: str, values: Mapping[str, Written]) -> str:
        form = self.plural(key, values)
        return self.texts[key if form == OTHER else f"{key}.{form}"]

    def _all_written(self, values: Mapping[str, Written]) -> dict[str, str]:
        return {name: self._written(value) for name, value in values.items()}

    def _written(self, value: Written) -> str:
        if isinstance(value, datetime):
            return self.numbers.minute(value)
        if isinstance(value, date):
            return self.numbers.day(value)
        return self.numbers.count(value) if isinstance(value, int) else value
