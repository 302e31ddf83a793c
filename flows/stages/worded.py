"""Findings beside their sentences: as columns of a table, and as entries of a manifest."""

from collections.abc import Mapping, Sequence
from typing import Any

from features.contracts.findings import Finding, as_plain, codes_of, to_json
from flows.night_folder import Note
from reports.summaries.suppression import SMALLEST_GROUP
from reports.wording.sentences import say


def said(findings: Sequence[Finding]) -> str:
    """Return what was found in sentences that anybody may read: without small counts of users."""
    return say(findings, smallest=SMALLEST_GROUP)


def worded(findings: Sequence[Finding]) -> dict[str, str]:
    """Return the columns `reasons`, `reason_codes` and `findings` of one row."""
    return {"reasons": said(findings), "reason_codes": codes_of(findings), "findings": to_json(findings)}


def worded_interval(findings: Sequence[Finding]) -> dict[str, str]:
    """Return the columns about an interval; the first finding is its method."""
    return {
        "interval_method": say(findings),
        "interval_codes": codes_of(findings),
        "interval_findings": to_json(findings),
    }


def worded_manifest(
    undecided: Mapping[str, Finding],
    unproven: Mapping[str, Finding],
    notes: Sequence[Note],
    *,
    estimated: Mapping[str, Finding] | None = None,
) -> dict[str, Any]:
    """Return the manifest's `undecided`, `unproven`, `estimated` and `notes`, in sentences and `findings`."""
    by_level = {"undecided": undecided, "unproven": unproven, "estimated": estimated or {}}
    return {
        **{level: {domain: said([why]) for domain, why in of.items()} for level, of in by_level.items()},
        "notes": [
            f"{note.domain}, {note.learner}: {said([note.found])}" if note.learner else said([note.found])
            for note in notes
        ],
        "findings": {
            **{
                level: {domain: as_plain(why) for domain, why in of.items()} for level, of in by_level.items()
            },
            "notes": [
                {"domain": note.domain, "learner": note.learner, "finding": as_plain(note.found)}
                for note in notes
            ],
        },
    }
