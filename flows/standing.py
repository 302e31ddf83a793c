"""The champions that stand when a night begins, and its experiments, as it and its manifest record them."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from features.contracts.policy_versions import policy_of

Hand = Literal["", "rolled_back", "pinned"]
"""What a person has decided of an area: nothing, a policy for one night, or one until further notice."""

CHAMPIONS = "champions"
"""Key of a manifest: area → the champion that serves after the night, as `StandingChampion` has it."""

EXPERIMENTS = "experiments"
"""Key of a manifest: area → its experiments after the night, as `AreaExperiments` has them."""

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
class RunningExperiment:
    """An experiment that runs when a night begins.

    policy_version, sha256: of the candidate as it began; the latter is the hash of its card in the registry.
    started_on: date of the night that started it. share, max_days: of the users in the candidate's arm, and
    after which it ends, as they were then (28 in manifests of versions that did not record it).
    champion_versions: of what served the other arm so far.
    """

    policy_version: str
    sha256: str
    started_on: str
    share: float
    champion_versions: tuple[str, ...]
    max_days: int = 28


@dataclass(frozen=True)
class AreaExperiments:
    """The experiments of an area against the champion that serves there.

    running: the one that runs, if any. tried: the candidates of all of them, that one included, by the
    versions that they began with.
    """

    running: RunningExperiment | None = None
    tried: tuple[str, ...] = ()


@dataclass(frozen=True)
class StandingChampions:
    """The champions that stand when a night begins.

    of_area: area → its champion; an area of the shop's own policy, of which nobody decided anything, is not
    in it. decisions: the lines of the ledger (flows/registry/hand.py) that are in it. experiments: area → its
    experiments; an area without any is not in it.
    """

    of_area: Mapping[str, StandingChampion] = field(default_factory=dict)
    decisions: tuple[int, ...] = ()
    experiments: Mapping[str, AreaExperiments] = field(default_factory=dict)

    def of(self, area: str) -> StandingChampion:
        """Return the champion of an area."""
        return self.of_area.get(area, StandingChampion())

    def experiments_of(self, area: str) -> AreaExperiments:
        """Return the experiments of an area."""
        return self.experiments.get(area, AreaExperiments())

    def tried_beside(self, area: str) -> tuple[str, ...]:
        """Return the learners of candidates, whose rounds are not evidence of what serves.

        A champion has a value of its own; what the shop itself shows is known by its log alone.
        """
        if self.of(area).policy_version:
            return ()
        return tuple(dict.fromkeys(map(policy_of, self.experiments_of(area).tried)))

    def with_elected(self, elected: Mapping[str, StandingChampion]) -> "StandingChampions":
        """Return the champions after a night that elected these."""
        return replace(self, of_area={**self.of_area, **elected})

    def without(self, gone: Collection[str]) -> "StandingChampions":
        """Return the champions after a night in which those of these areas could not stand.

        The shop's own policy stands there; where a person had pinned the champion, it is pinned in its place.
        """
        kept = {
            area: StandingChampion(hand=champion.hand) if area in gone else champion
            for area, champion in self.of_area.items()
        }
        stand = {area: champion for area, champion in kept.items() if champion != StandingChampion()}
        return replace(self, of_area=stand)

    def manifest_entries(self) -> dict[str, Any]:
        """Return what a night's manifest says of them; nothing without any."""
        if not self.of_area and not self.decisions and not self.experiments:
            return {}
        of_experiments = {area: asdict(those) for area, those in sorted(self.experiments.items())}
        return {
            CHAMPIONS: {area: asdict(champion) for area, champion in sorted(self.of_area.items())},
            DECISIONS: list(self.decisions),
            **({EXPERIMENTS: of_experiments} if of_experiments else {}),
        }
