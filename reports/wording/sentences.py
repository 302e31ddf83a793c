"""Findings → sentences of a language. What is said is decided here, how it is said in a catalog."""

from collections.abc import Sequence
from datetime import date, datetime
from math import floor, isnan, log10, nan
from typing import Any

from features.contracts.finding_codes import CODES, COMPARISONS, REFUSALS
from features.contracts.finding_units import Unit
from features.contracts.findings import Finding
from features.contracts.value_shape import SHAPE
from reports.summaries.suppression import SMALLEST_GROUP, has_small_count
from reports.summaries.verdict_reasons import in_short
from reports.wording.catalog import OTHER, Catalog
from reports.wording.language import LANGUAGE

_LIMITS = frozenset({"keep_above", "least", "most", "move_limit"})
"""Shares that somebody has set: a small one has the digits that it needs."""

_WITHIN_RESOLUTION = frozenset({"no_gain_shown", "no_difference", "loss_shown"})
"""Comparisons whose numbers within the resolution are printed as 0; a gain within it is shown as it is."""


class _Share(float):
    """A share that a template writes as a percentage, in which a little is not written as nothing.

    below: what stands for a share that would be rounded to zero, with its `{limit}`; empty for one that is
    written with the digits that it needs.
    """

    def __new__(cls, share: float, below: str) -> "_Share":
        written = super().__new__(cls, share)
        written.below = below
        return written

    below: str

    def __format__(self, spec: str) -> str:
        """Write the share as the template asks; 0.0004 by `.0%` is `below 1%`."""
        rounded = super().__format__(spec)
        if not 0 < self < 1 or not rounded.endswith("%") or any(digit in rounded for digit in "123456789"):
            return rounded
        if not self.below:
            return f"{100 * float(self):.2g}%"
        # The last digit of the zero that the template would write, such as 1% or 0.1%.
        return self.below.format(limit=f"{rounded[:-2]}1%")


def say(findings: Sequence[Finding], *, smallest: int = 0, catalog: Catalog = LANGUAGE) -> str:
    """Return all that was found, in full sentences; smallest: the smallest count of users to be printed.

    >>> say([Finding("held", "maml")])
    "The shop's own policy continues here: the candidate was held."
    """
    return catalog.between_sentences.join(sentences(findings, smallest=smallest, catalog=catalog))


def sentences(
    findings: Sequence[Finding], *, smallest: int = 0, catalog: Catalog = LANGUAGE
) -> tuple[str, ...]:
    """Return a sentence for each finding, each once; doubts that stand by themselves are sentences too."""
    said = (_sentence(found, smallest, catalog) for found in findings)
    return tuple(dict.fromkeys(said))


def say_in_clauses(
    findings: Sequence[Finding], *, smallest: int = SMALLEST_GROUP, catalog: Catalog = LANGUAGE
) -> str:
    """Return what was found as clauses in a row, as it stands beside a number.

    smallest: the smallest count of users to be printed.

    >>> numbers = {"clusters": "users", "n_resamples": 1000}
    >>> say_in_clauses([Finding("bca", "maml", numbers), Finding("model_error_left_out", "maml")])
    "BCa bootstrap over users, 1,000 resamples; the reward model's own error is not in it"
    """
    return catalog.between_causes.join(clauses(findings, smallest=smallest, catalog=catalog))


def clauses(
    findings: Sequence[Finding], *, smallest: int = SMALLEST_GROUP, catalog: Catalog = LANGUAGE
) -> tuple[str, ...]:
    """Return the clause of each finding."""
    return tuple(_clause(found, smallest, catalog) for found in findings)


def say_in_short(
    findings: Sequence[Finding],
    candidate: str,
    *,
    smallest: int = 0,
    catalog: Catalog = LANGUAGE,
) -> str:
    """Return the gate's reasons in short: each finding once, and its numbers left to the tables.

    candidate: the policy that the reader has in mind. Which look it was is left to the tables too. Findings
    that are neither comparisons nor refusals are returned in full.

    >>> found = [Finding("no_gain_shown", "a", {"other": other}) for other in ("b", "c")]
    >>> say_in_short(found, "a"), say_in_short(found, "z")
    ('No gain is shown against b, c.', 'a: no gain is shown against b, c.')
    """
    findings = [found for found in findings if found.code != "later_look"]
    if not all(found.code in COMPARISONS or found.code in REFUSALS for found in findings):
        return say(findings, smallest=smallest, catalog=catalog)
    said = []
    for short in in_short(findings):
        found = short.finding
        numbers = _names(found, catalog) | {"others": catalog.between_names.join(short.others)}
        numbers["causes"] = _causes(found, smallest, catalog)
        key = found.code if found.subject == candidate else f"{found.code}.named"
        said.append(catalog.short[key].format_map(numbers))
    return catalog.between_sentences.join(said)


def say_rule(found: Finding, *, catalog: Catalog = LANGUAGE) -> str:
    """Return the rule behind a rejected line, or behind what is said of a file: the same for all its lines.

    >>> say_rule(Finding("outside_bounds", "propensity", {"characters": 3, "above": 0, "at_most": 1}))
    'propensity must be above 0 and at most 1'
    """
    if found.code == "first_rejected_line":
        return say_rule(found.because[0], catalog=catalog)
    return catalog.rules[found.code].format_map(_names(found, catalog))


def digits_of(width: float) -> int:
    """Decimal places that show an interval to two digits of its width, whatever the reward's unit.

    >>> digits_of(0.0284), digits_of(12.0), digits_of(0.0)
    (3, 0, 0)
    """
    return max(0, 1 - floor(log10(width))) if width > 0 else 0


def _percent_digits(confidence: float) -> int:
    """Decimal places that show a confidence as a percentage, to two digits of what is missing from 100 %.

    >>> _percent_digits(0.95), _percent_digits(0.975), _percent_digits(0.99944)
    (0, 1, 3)
    """
    missing = 100.0 * (1.0 - confidence)
    if isnan(missing) or abs(missing - round(missing)) < 1e-9:
        return 0
    return digits_of(missing)


def _sentence(found: Finding, smallest: int, catalog: Catalog) -> str:
    if found.code in catalog.clauses:
        return catalog.alone(_clause(found, smallest, catalog))
    numbers = _names(found, catalog) | {"causes": _causes(found, smallest, catalog)}
    numbers |= catalog.areas.get(found.subject, {})
    return catalog.sentences[_key(found, smallest, catalog)].format_map(numbers)


def _causes(found: Finding, smallest: int, catalog: Catalog) -> str:
    return say_in_clauses(found.because, smallest=smallest, catalog=catalog)


def _clause(found: Finding, smallest: int, catalog: Catalog) -> str:
    if found.code not in catalog.clauses:
        return _sentence(found, smallest, catalog)
    numbers = _names(found, catalog) | {"below": smallest, "causes": _causes(found, smallest, catalog)}
    return catalog.clauses[_key(found, smallest, catalog)].format_map(numbers)


def _key(found: Finding, smallest: int, catalog: Catalog) -> str:
    """Choose the variant: one that hides a small count, one without numbers not known, or a plural form."""
    texts = catalog.clauses if found.code in catalog.clauses else catalog.sentences
    if not found.because and has_small_count(found, smallest):
        # A limit that is the smallest count itself says nothing more.
        is_limit = found.numbers.get("least") == smallest and f"{found.code}.hidden_limit" in texts
        return f"{found.code}.hidden_limit" if is_limit else f"{found.code}.hidden"
    form = catalog.plural(found.code, found.numbers)
    if form != OTHER:
        return f"{found.code}.{form}"
    is_unknown = len(found.numbers) < len(CODES[found.code].numbers)
    return f"{found.code}.unknown" if is_unknown and f"{found.code}.unknown" in texts else found.code


def _names(found: Finding, catalog: Catalog) -> dict[str, Any]:
    """Return everything that a template may name."""
    units = CODES[found.code].numbers
    numbers = {name: _value(found.numbers.get(name, nan), unit, catalog) for name, unit in units.items()}
    numbers |= {
        name: _share(found.number(name), name, catalog) for name in units if units[name] is Unit.SHARE
    }
    if found.code in COMPARISONS:
        numbers |= _compared(found)
    if "confidence" in units:
        numbers["confidence_digits"] = _percent_digits(found.number("confidence"))
    if found.code == "outside_bounds":
        numbers["bounds"] = _bounds(found, catalog)
    if SHAPE.keys() <= units.keys():
        numbers["value"] = _shape(found, catalog)
    return {"subject": catalog.subjects.get(found.subject, found.subject), **numbers}


def _value(number: int | float | str, unit: Unit, catalog: Catalog) -> int | float | str | date:
    match unit:
        case Unit.WORD:
            return catalog.words.get(str(number), str(number))
        case Unit.DATE:
            return date.fromisoformat(str(number))
        case Unit.TIME:
            return datetime.fromisoformat(str(number))
        case Unit.CENTS:
            return float(number) / 100
        case _:
            return number


def _share(share: float, name: str, catalog: Catalog) -> _Share:
    return _Share(share, "" if name in _LIMITS else catalog.text("value.share_below", limit="{limit}"))


def _bounds(found: Finding, catalog: Catalog) -> str:
    known = (text.format_map(found.numbers) for name, text in catalog.bounds.items() if name in found.numbers)
    return catalog.between_bounds.join(known)


def _shape(found: Finding, catalog: Catalog) -> str:
    """Say what kind of value was found, and how long: all that is kept of it."""
    characters = found.numbers.get("characters")
    if not isinstance(characters, int):
        return catalog.words["not shown"]
    kind = "number" if found.numbers.get("kind") == "number" else "text"
    kind = "address" if found.numbers.get("at_signs") else kind
    return catalog.text(f"value.{kind}", characters=characters)


def _compared(found: Finding) -> dict[str, Any]:
    """Return a comparison's numbers as printed: what rounding of probabilities may make is printed as 0."""
    resolution = found.number("resolution")
    within = resolution if found.code in _WITHIN_RESOLUTION and not isnan(resolution) else 0.0
    ends = {name: found.number(name) for name in ("difference", "lower", "upper")}
    shown = {name: number if abs(number) > within else 0.0 for name, number in ends.items()}
    return shown | {
        "digits": digits_of(shown["upper"] - shown["lower"]),
        "resolution_digits": digits_of(resolution),
        "unit": f" {found.text('currency')}" if "currency" in found.numbers else "",
    }
