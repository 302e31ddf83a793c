"""What people decided of a shop's champions: a ledger beside them, one line for each decision.

<data>/registry/<shop>/decisions.jsonl    rollback, pin, unpin

A decision holds from the newest night that was published when it was made: that night, run again, obeys it,
and so does each later one; nights for earlier dates don't know of it.
"""

from dataclasses import dataclass
from typing import Literal

from flows.ledger import append_line, read_records
from flows.workspace import Workspace

Act = Literal["rollback", "pin", "unpin"]


@dataclass(frozen=True)
class Decision:
    """A line of the ledger.

    as_of: the date of the newest published night then. policy_version, sha256: the policy that is to serve;
    empty for the shop's own one, and to unpin.
    """

    act: Act
    area: str
    as_of: str
    policy_version: str = ""
    sha256: str = ""


def decisions(workspace: Workspace) -> list[Decision]:
    """Return all decisions, the oldest first; raises DamagedFileError where a line is damaged."""
    return read_records(workspace.registry / "decisions.jsonl", Decision)


def record(workspace: Workspace, decision: Decision) -> None:
    """Add a decision to the ledger."""
    append_line(workspace.registry / "decisions.jsonl", decision)
