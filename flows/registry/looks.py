"""The ledger of looks: how often a shop's gate has asked whether something earns more than what serves.

<data>/registry/<shop>/looks.jsonl    one line for each night and area whose evidence could have promoted

A look against another policy is another question, so a new champion begins anew. A night that is run again
has the look that it had.
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
    same = [other.run_id for other in known if (other.area, other.against) == (look.area, look.against)]
    return same.index(look.run_id) + 1
