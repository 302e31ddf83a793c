"""A finding: a judgement, refusal or reason as a code with typed numbers. Sentences are made elsewhere.

The tables carry findings as JSON in one text column, beside the sentences that `reports/wording` makes of
them. So a program reads numbers and never English, a small count can be hidden exactly, and a language is
one file.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite, nan
from typing import Any

from features.contracts.finding_codes import CODES
from features.contracts.finding_units import COUNTS, OPTIONAL_TEXTS, TEXTS, Unit

Number = int | float | str


@dataclass(frozen=True)
class Finding:
    """What was found about a subject, by its name: a policy, an arm, a segment, a campaign, a file, a column.

    code, numbers: of `finding_codes.CODES`. A number that is not known is left out. because: causes, where
    the code has any.

    Raises ValueError for a code that is not in the vocabulary, and for numbers that are not the code's.

    >>> Finding("own_task", "surface=men")
    Finding(code='own_task', subject='surface=men', numbers={}, because=())
    """

    code: str
    subject: str
    numbers: Mapping[str, Number] = field(default_factory=dict)
    because: tuple["Finding", ...] = ()

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(f"{self.code} is not a finding. Add it to features/contracts/finding_codes.py.")
        meaning = CODES[self.code]
        if unknown := sorted(self.numbers.keys() - meaning.numbers.keys()):
            raise ValueError(f"{self.code} carries {', '.join(meaning.numbers)}, not {', '.join(unknown)}.")
        for name, unit in meaning.numbers.items():
            if not _fits(self.numbers.get(name), unit):
                raise ValueError(f"{self.code} needs {name} as a {unit}, not {self.numbers.get(name)!r}.")
        if self.because and not meaning.has_causes:
            raise ValueError(f"{self.code} has no causes.")

    def __hash__(self) -> int:
        return hash((self.code, self.subject, tuple(sorted(self.numbers.items())), self.because))

    def number(self, name: str) -> float:
        """A number by its name, NaN where it is not known."""
        return float(self.numbers.get(name, nan))

    def text(self, name: str) -> str:
        """A name or a word that it carries."""
        return str(self.numbers[name])


def finding(code: str, subject: str, **numbers: Number) -> Finding:
    """Return the finding of these numbers, without those that are not known: NaN and infinities.

    >>> finding("segment_protected", "maml", harm_probability=float("nan")).numbers
    {}
    """
    known = {name: number for name, number in numbers.items() if isinstance(number, str) or isfinite(number)}
    return Finding(code, subject, known)


def to_json(findings: Iterable[Finding]) -> str:
    """Return findings as the column `findings` has them: an array of objects, without what is empty.

    >>> to_json([finding("little_support", "new", supported_share=0.5, least=0.95)])
    '[{"code":"little_support","subject":"new","numbers":{"supported_share":0.5,"least":0.95}}]'
    """
    return _dumped(list(map(as_plain, findings)))


def as_json(found: Finding) -> str:
    """Return one finding as `to_json` writes it in its array."""
    return _dumped(as_plain(found))


def from_json(text: str) -> tuple[Finding, ...]:
    """Read what `to_json` wrote.

    Raises ValueError for text that is not such an array, and for findings that are not of the vocabulary.
    """
    return tuple(map(of_plain, json.loads(text)))


def one_from_json(text: str) -> Finding:
    """Read what `as_json` wrote; raises ValueError as `from_json` does."""
    return of_plain(json.loads(text))


def described(findings: Iterable[Finding]) -> str:
    """Return what the codes mean, in the words of the data dictionary: for a reader without a report.

    >>> described([finding("student_t", "new", clusters="users")])
    "Student's t interval over clusters"
    """
    return "; ".join(CODES[found.code].about for found in findings)


def codes_of(findings: Iterable[Finding]) -> str:
    """Return the codes as a column has them, each once, separated by spaces, causes after what they cause.

    >>> doubt = finding("little_support", "new", supported_share=0.5, least=0.95)
    >>> codes_of([Finding("cannot_be_judged", "new", because=(doubt,))])
    'cannot_be_judged little_support'
    """
    return " ".join(dict.fromkeys(found.code for found in _with_causes(findings)))


Say = Callable[[Sequence[Finding]], str]
"""Findings → the sentences that a table carries beside them; `reports/wording` has one."""


def _with_causes(findings: Iterable[Finding]) -> Iterator[Finding]:
    for found in findings:
        yield found
        yield from _with_causes(found.because)


def as_plain(found: Finding) -> dict[str, Any]:
    """Return a finding as plain values, for JSON; without what is empty."""
    content = {
        "code": found.code,
        "subject": found.subject,
        "numbers": dict(found.numbers),
        "because": list(map(as_plain, found.because)),
    }
    return {name: part for name, part in content.items() if part or name in ("code", "subject")}


def _dumped(content: Any) -> str:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def of_plain(content: Mapping[str, Any]) -> Finding:
    """Return the finding that `as_plain` gave the values of; a number that is null is not known."""
    numbers = content.get("numbers", {})
    return Finding(
        content["code"],
        content["subject"],
        {name: number for name, number in numbers.items() if number is not None},
        tuple(map(of_plain, content.get("because", ()))),
    )


def _fits(number: Number | None, unit: Unit) -> bool:
    if number is None:
        return unit in OPTIONAL_TEXTS or unit not in TEXTS
    if unit in TEXTS:
        return isinstance(number, str)
    if unit in COUNTS:
        return isinstance(number, int)
    return isinstance(number, int | float) and isfinite(number)
