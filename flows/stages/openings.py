"""The ledger of holdouts: every look at one is recorded, for a second look is not evidence like the first.

Who tries ten configurations on one holdout and keeps the best has chosen by luck, and no interval of the
tenth knows of the nine before. The night can't forbid it; it remembers, and the report says so.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from features.contracts.findings import finding
from flows.ledger import append_line, read_lines
from flows.night_folder import Note


@dataclass(frozen=True)
class Opening:
    """One domain's holdout was looked at by one run.

    holdout_sha256: of the rounds in it.  splits_sha256: of which segments taught, chose and were only judged.
    """

    domain: str
    holdout_sha256: str
    splits_sha256: str
    run_id: str


def fingerprint(names: Iterable[str]) -> str:
    """The hash of names in their order."""
    digest = hashlib.sha256()
    for name in names:
        digest.update(name.encode() + b"\n")
    return digest.hexdigest()


def record_opening(ledger: Path, opening: Opening) -> int:
    """Record a look before it is taken; return how many other runs had looked at these rounds before.

    The same run again sees what it saw: it adds no line, and is told what it was told the first time.
    """
    known = [Opening(**line) for line in read_lines(ledger)]
    if opening not in known:
        append_line(ledger, opening)
    before = known[: known.index(opening)] if opening in known else known
    rounds = (opening.domain, opening.holdout_sha256)
    return len({other.run_id for other in before if (other.domain, other.holdout_sha256) == rounds})


def note_of(domain: str, looks: int) -> list[Note]:
    """What readers must know of earlier looks; nothing after the first.

    >>> note_of("recommendation", 0)
    []
    """
    return [Note(domain, "", finding("holdout_opened_before", domain, looks=looks))] if looks else []
