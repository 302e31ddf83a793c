"""Reasons of the gate → one record per finding, with all policies that it was made against."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from features.contracts.finding_codes import REFUSALS
from features.contracts.findings import Finding


@dataclass(frozen=True)
class ShortFinding:
    """A comparison with every policy it was made against, or a refusal with all of its causes."""

    finding: Finding
    others: tuple[str, ...] = ()


def in_short(findings: Sequence[Finding]) -> tuple[ShortFinding, ...]:
    """Return refusals, then comparisons, each once, in the order in which they were found.

    >>> lost = [Finding("harm_shown", "a", {"other": other}) for other in ("b", "c")]
    >>> [(short.finding.code, short.others) for short in in_short(lost)]
    [('harm_shown', ('b', 'c'))]
    """
    refused: dict[str, Finding] = {}
    compared: dict[tuple[str, str, float], list[Finding]] = {}
    for found in findings:
        if found.code in REFUSALS:
            earlier = refused.get(found.subject)
            causes = (*(earlier.because if earlier else ()), *found.because)
            refused[found.subject] = replace(found, because=_distinct(causes))
        else:
            # Only findings beyond rounding say their resolution, so others that differ in it are alike.
            said = found.number("resolution") if found.code == "no_gain_beyond_rounding" else 0.0
            compared.setdefault((found.subject, found.code, said), []).append(found)
    return (
        *map(ShortFinding, refused.values()),
        *(
            ShortFinding(alike[0], tuple(dict.fromkeys(found.text("other") for found in alike)))
            for alike in compared.values()
        ),
    )


def _distinct(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(dict.fromkeys(findings))
