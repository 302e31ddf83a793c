"""The champions that stand when a night begins, as a night and its manifest record them."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Hand = Literal["", "rolled_back", "pinned"]
"""What a person has decided of an area: nothing, a policy for one night, or one until further notice."""

CHAMPIONS = "champions"
"""Key of a manifest: area → the champion that serves after the night, as `StandingChampion` has it."""

DECISIONS = "registry_decisions"
"""Key of a manifest: the lines of the ledger, from 0, that the night or one before it took into account."""


@dataclass(frozen=True)
class StandingChampion:
    """The champion of an area: its version, the hash of its card, and what a person has decided of it.

    An empty version is the shop's own policy, which stands where nothing was elected.
    """

    policy_version: str = ""
    sha256: str = ""
    hand: Hand = ""


@dataclass(frozen=True)
class StandingChampions:
    """The champions that stand when a night begins.

    of_area: area → its champion; an area of the shop's own policy, of which nobody decided anything, is not
    in it. decisions: the lines of the ledger (flows/registry/hand.py) that are in it.
    """

    of_area: Mapping[str, StandingChampion] = field(default_factory=dict)
    decisions: tuple[int, ...] = ()

    def of(self, area: str) -> StandingChampion:
        """Return the champion of an area."""
        return self.of_area.get(area, StandingChampion())

    def with_elected(self, elected: Mapping[str, StandingChampion]) -> "StandingChampions":
        """Return the champions after a night that elected these."""
        return StandingChampions({**self.of_area, **elected}, self.decisions)

    def without(self, gone: Collection[str]) -> "StandingChampions":
        """Return the champions after a night in which those of these areas could not stand.

        The shop's own policy stands there; where a person had pinned the champion, it is pinned in its place.
        """
        kept = {
            area: StandingChampion(hand=champion.hand) if area in gone else champion
            for area, champion in self.of_area.items()
        }
        stand = {area: champion for area, champion in kept.items() if champion != StandingChampion()}
        return StandingChampions(stand, self.decisions)

    def manifest_entries(self) -> dict[str, Any]:
        """Return what a night's manifest says of them; nothing without any."""
        if not self.of_area and not self.decisions:
            return {}
        return {
            CHAMPIONS: {area: asdict(champion) for area, champion in sorted(self.of_area.items())},
            DECISIONS: list(self.decisions),
        }
