"""A language: what `reports.wording.sentences` needs to say every finding, and nothing else.

A catalog holds texts. Which finding is said, in which variant, and which digits a number has, is decided
outside, alike for all languages. A text is a `str.format` template over the finding's numbers by name, so the
order of words, the signs of thousands and percent, and the form of dates are the language's own. Templates
also know `subject`, and some a few names more (`english` says which).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Catalog:
    """The texts of one language.

    sentences: code → a sentence by itself. A variant has a key of its own, such as `segment_kept.unknown`.
    clauses: code of a cause → what it says inside the finding that it causes, with the variants that hide a
        small count.
    short: code → the finding without its numbers, of the one policy that the reader has in mind; `.named`
        for another policy.
    rules: code of a rejected line, or of what is said of a file → the rule behind it.
    bounds: a bound of a number → how it is said.
    words, subjects: the words and the subjects that are not names → how they are said.
    areas: an area as a subject → more names that its templates know: rows, unknown_without.
    plurals: code → the count that decides the plural form. form: a count → the form, the variant's name after
        the code; empty for the one without a name.
    between_names, between_bounds, between_causes, between_sentences: what lists are joined by.
    alone: a clause → the sentence that says it by itself.
    """

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
    between_bounds: str
    between_causes: str
    between_sentences: str
    alone: Callable[[str], str]
