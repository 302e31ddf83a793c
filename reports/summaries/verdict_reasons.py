"""Reasons of the gate → records, so that a line can say them once and leave numbers to the table.

The gate writes sentences of two shapes (offline_rl.ope.trust.verdict): a comparison with one other policy,
and what makes a policy impossible to judge. A text of any other shape is not understood, and stays as it is.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_SENTENCE = re.compile(
    r"(?P<judged>\S+) against (?P<other>\S+): (?P<finding>[^,]+), [^()]+\([^()]*\)\.(?:\s+|$)"
    r"|(?P<doubted>\S+) can't be judged: (?P<doubts>.+?)\.(?:\s+(?=\S+ (?:against|can't))|$)"
)


@dataclass(frozen=True)
class Finding:
    """One finding, such as `no gain is shown`, and every policy it was made against."""

    policy: str
    finding: str
    others: tuple[str, ...]


@dataclass(frozen=True)
class Doubt:
    """Why nothing can be said about a policy."""

    policy: str
    doubts: tuple[str, ...]


def verdict_reasons(reasons: str) -> tuple[Finding | Doubt, ...]:
    """Return findings and doubts in the order they were written; none where any sentence has another shape.

    >>> verdict_reasons("a against b: no gain is shown, +1 (95% interval -1 to +3).")
    (Finding(policy='a', finding='no gain is shown', others=('b',)),)
    """
    sentences, place = [], 0
    while place < len(reasons):
        sentence = _SENTENCE.match(reasons, place)
        if sentence is None:
            return ()
        sentences.append(sentence)
        place = sentence.end()
    others: dict[tuple[str, str], list[str]] = {}
    doubts: dict[str, list[str]] = {}
    for sentence in sentences:
        if sentence["judged"]:
            others.setdefault((sentence["judged"], sentence["finding"]), []).append(sentence["other"])
        else:
            doubts.setdefault(sentence["doubted"], []).append(sentence["doubts"])
    return (
        *(Doubt(policy, _distinct(said)) for policy, said in doubts.items()),
        *(Finding(policy, finding, _distinct(named)) for (policy, finding), named in others.items()),
    )


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
