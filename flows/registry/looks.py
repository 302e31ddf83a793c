"""The ledger of looks: how often a shop's gate has asked whether something earns more than what serves.

<data>/registry/<shop>/looks.jsonl    one line for each night and area whose evidence could have promoted

A look against another policy is another question, so a new champion begins anew. A night that is run again
has the look that it had, and one for an earlier date does not count those of later dates.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from flows.ledger import append_line, read_records
from flows.workspace import Workspace


@dataclass(frozen=True)
class Look:
    """One look: of which run, in which area, against which version; "" for the shop's own policy.

    n_rounds, until: number of rounds of its evidence, and the last day of these, as in 2026-01-05; 0 and ""
    in lines of versions that did not record them.
    """

    area: str
    against: str
    run_id: str
    n_rounds: int = 0
    until: str = ""

    def is_same(self, other: "Look") -> bool:
        """Return whether it is a look of the same run in the same area against the same version."""
        return (self.area, self.against, self.run_id) == (other.area, other.against, other.run_id)


def looks_before(workspace: Workspace, look: Look) -> Sequence[Look]:
    """Return the looks that came before this one and count with it, the oldest first.

    Raises DamagedFileError where the ledger is damaged: looks that it hides would make promotions too easy.
    """
    known = read_records(workspace.registry / "looks.jsonl", Look)
    own = next((place for place, other in enumerate(known) if look.is_same(other)), len(known))
    return [
        other
        for other in known[:own]
        if (other.area, other.against) == (look.area, look.against) and _date(other) <= _date(look)
    ]


def record_look(workspace: Workspace, look: Look) -> None:
    """Record a look before it happens, once for each run."""
    ledger = workspace.registry / "looks.jsonl"
    if not any(look.is_same(other) for other in read_records(ledger, Look)):
        append_line(ledger, look)


def _date(look: Look) -> str:
    """Return the date of the look's night, which its run_id begins with."""
    return look.run_id[:10]
