"""The champions of a night: those that stand, out of the registry, and those that it elects, into it."""

from collections.abc import Mapping, Sequence

from features.contracts.findings import finding
from features.tasks.reading import ReadAgain
from flows.champion_folder import ChampionFolder, register, registered
from flows.night_folder import Night, NightFolder, Note
from flows.standing import StandingChampion, StandingChampions
from flows.workspace import Workspace


def champion_that_stands(workspace: Workspace, night: Night, area: str) -> ChampionFolder | None:
    """Return the folder of the champion that stands in an area, checked; None for the shop's own policy.

    Raises DamagedFileError where it is not as it was elected.
    """
    champion = night.champions.of(area)
    if not champion.policy_version:
        return None
    return registered(workspace.registry / area, champion.sha256)


def stand_again(
    work: NightFolder, area: str, champion: ChampionFolder, read: Sequence[ReadAgain]
) -> list[Note]:
    """Put a champion into the work of a night, with tonight's decisions as it reads them; returns notes.

    Where none of tonight's items is one of its own, it would only guess: the shop's own policy serves then.
    """
    card, first = champion.card, read[0]
    n_new, n_items = int((first.known < 0).sum()), len(first.known)
    if n_new == n_items:
        gone = finding("champion_items_gone", card.policy_version, n_items=card.n_items)
        return [Note(area, "", gone)]
    work.write_standing(area, champion.path, read)
    stands = finding(
        "champion_stands",
        card.policy_version,
        elected_on=card.elected_on.isoformat(),
        learned_on=card.as_of.isoformat(),
        n_items=n_items,
        n_new_items=n_new,
        n_gone_items=card.n_items - (n_items - n_new),
    )
    notes = [Note(area, "", stands)]
    if missing := sorted({trait for layer in read for trait in layer.missing}):
        unknown = finding(
            "champion_lacks_traits", card.policy_version, n_traits=len(missing), traits=", ".join(missing)
        )
        notes.append(Note(area, "", unknown))
    return notes


def champions_after(workspace: Workspace, night: Night, work: NightFolder) -> StandingChampions:
    """Return the champions that serve after a night, those that it has elected copied into the registry."""
    gone = [
        area for area in night.domains if night.champions.of(area).policy_version and not work.stands(area)
    ]
    return night.champions.without(gone).with_elected(_register_elected(workspace, night, work))


def _register_elected(
    workspace: Workspace, night: Night, work: NightFolder
) -> Mapping[str, StandingChampion]:
    """Copy the policies that a night has elected into the registry; returns area → the new champion."""
    elected = {}
    for area in night.domains:
        folder = ChampionFolder(work.elected(area))
        if folder.path.is_dir():
            registered = register(folder.path, workspace.registry / area)
            elected[area] = StandingChampion(registered.card.policy_version, registered.sha256)
    return elected
