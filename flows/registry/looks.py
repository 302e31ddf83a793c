"""The ledger of looks: how often a shop's gate has asked whether something earns more than what serves.

<data>/registry/<shop>/looks.jsonl    one line for each night and area whose evidence could have promoted

A look against another policy is another question, so a new champion begins anew. A night that is run again
has the look that it had, and one for an earlier date does not count those of later dates.
"""

from dataclasses import dataclass

from flows.ledger import append_line, read_records
from flows.workspace import Workspace


@dataclass(frozen=True)
class Look:
    """One look: of which run, in which area, against which version; "" for the shop's own policy."""

    area: str
    against: str
    run_id: str


def number_of_look(workspace: Workspace, look: Look) -> int:
    """Record a look before it happens, and return its number, from 1.

    Raises DamagedFileError where the ledger is damaged: looks that it hides would make promotions too easy.
    """
    ledger = workspace.registry / "looks.jsonl"
    known = read_records(ledger, Look)
    if look not in known:
        append_line(ledger, look)
        known = [*known, look]
    before = known[: known.index(look)]
    return 1 + sum(
        (other.area, other.against) == (look.area, look.against) and _date(other) <= _date(look)
        for other in before
    )


def _date(look: Look) -> str:
    """Return the date of the look's night, which its run_id begins with."""
    return look.run_id[:10]
