"""The ledger of holdouts: every use of one is recorded, since repeated uses are weaker evidence.

A person who tries ten configurations on one holdout and keeps the best one partly selects luck, and the
interval of the best one does not account for the other nine. The night can't forbid it. It records each use,
and the report names the earlier ones.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from features.contracts.findings import finding
from flows.ledger import append_line, read_records
from flows.night_folder import Note


@dataclass(frozen=True)
class HoldoutUse:
    """The evaluation of one domain's policies on a holdout by one run.

    holdout_sha256: hash of the rounds in it.
    splits_sha256: hash of the segments with their splits (meta_train, meta_validation, meta_test).
    """

    domain: str
    holdout_sha256: str
    splits_sha256: str
    run_id: str


def fingerprint(names: Iterable[str]) -> str:
    """Return the hash of names in their order."""
    digest = hashlib.sha256()
    for name in names:
        digest.update(name.encode() + b"\n")
    return digest.hexdigest()


def record_use(ledger: Path, use: HoldoutUse) -> int:
    """Record a use before it happens; return the number of other runs that used these rounds before.

    The same run again adds no line, and gets the number that it got the first time.
    Raises DamagedFileError where the ledger is damaged: uses that it hides would make evidence look better.
    """
    known = read_records(ledger, HoldoutUse)
    if use not in known:
        append_line(ledger, use)
    before = known[: known.index(use)] if use in known else known
    rounds = (use.domain, use.holdout_sha256)
    return len({other.run_id for other in before if (other.domain, other.holdout_sha256) == rounds})


def note_on_earlier_uses(domain: str, n_earlier_uses: int) -> list[Note]:
    """Return the note for readers on earlier uses of a holdout; empty where there were none.

    >>> note_on_earlier_uses("recommendation", 0)
    []
    """
    if n_earlier_uses == 0:
        return []
    return [Note(domain, "", finding("holdout_used_before", domain, n_earlier_uses=n_earlier_uses))]
