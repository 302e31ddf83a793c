"""The champions of a shop, as its people see them: who serves, who served, who was never published.

Where lists serve that nothing proves, no policy does, and the listing says so.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from features.areas import AREAS
from features.errors import UsageError
from flows.champion_folder import ChampionCard, ChampionFolder
from flows.published_nights import PublishedNight
from flows.registry.newest_night import newest_night, serving_lists
from flows.registry.standing_champions import standing_on_the_next_night
from flows.standing import CHAMPIONS, EXPERIMENTS, AreaExperiments, Hand, StandingChampion, StandingChampions
from flows.workspace import Workspace

State = Literal["champion", "retired", "candidate"]


@dataclass(frozen=True)
class ListedChampion:
    """One elected policy.

    state: the champion stands when the next night begins; a retired one served before; a candidate was
    elected by a night that is not published, or serves in an experiment. served_from, served_to: first and
    last date of the published nights that it served all users after; None without any. hand: what a person
    has decided. experiment: whether it serves a share of the users in one, or did so and was not promoted.
    """

    card: ChampionCard
    sha256: str
    state: State
    served_from: date | None
    served_to: date | None
    hand: Hand
    experiment: Literal["", "runs", "ended"] = ""


@dataclass(frozen=True)
class AreaChampions:
    """The elected policies of an area, the newest first.

    own_serves: whether the shop's own policy serves. lists: versions of the unproven lists that serve in its
    place after the newest night, none where its table is gone; None where no lists serve. rests_since: the
    date of the newest night, where it let lists serve or decided nothing in the area, so that no champion
    serves after it; None otherwise.
    """

    area: str
    own_serves: bool
    rests_since: date | None
    hand: Hand
    champions: tuple[ListedChampion, ...]
    lists: tuple[str, ...] | None = None

    @property
    def champion_waits(self) -> bool:
        """Whether a champion stands that does not serve after the newest night."""
        return self.rests_since is not None and any(one.state == "champion" for one in self.champions)


def list_champions(workspace: Workspace) -> list[AreaChampions]:
    """Return the champions of every area that has any, where lists serve, or where a person has decided.

    Raises DamagedFileError where a card can't be read.
    """
    served = dict(_served(workspace))
    nights = workspace.nights.all()
    oldest = min((night.as_of for night in nights), default=date.min)
    newest = max((night.as_of for night in nights), default=None)
    standing = standing_on_the_next_night(workspace, newest) if newest else StandingChampions()
    last_night = newest_night(workspace)
    resting, lists = _resting(last_night), serving_lists(last_night)
    found = []
    for area in (area.name for area in AREAS if area.is_learned):
        stands = standing.of(area)
        experiments = standing.experiments_of(area)
        folders = champion_folders(workspace, area)
        # A candidate that has won as it was is there twice, the second time with a champion's card.
        known = {folder.card.policy_version for folder in folders if (area, folder.sha256) in served}
        of_experiments = _OfExperiments(experiments, _tried(nights, area))
        champions = [
            _listed(folder, stands, served.get((area, folder.sha256)), oldest, of_experiments)
            for folder in folders
            if (area, folder.sha256) in served or folder.card.policy_version not in known
        ]
        if champions or stands != StandingChampion() or area in lists:
            champions.sort(key=lambda one: (one.card.as_of, one.card.run_id), reverse=True)
            hand = "" if stands.policy_version else stands.hand
            rests = newest if area in resting else None
            own_serves = not stands.policy_version and area not in lists
            found.append(AreaChampions(area, own_serves, rests, hand, tuple(champions), lists.get(area)))
    return found


def _resting(night: PublishedNight | None) -> frozenset[str]:
    """Return the areas that a night has decided without any policy: by lists, or not at all."""
    manifest = (night.manifest if night is not None else None) or {}
    return frozenset({*manifest.get("unproven", ()), *manifest.get("undecided", ())})


def champion_folders(workspace: Workspace, area: str) -> list[ChampionFolder]:
    """Return the folders of an area's elected policies."""
    folders = sorted((workspace.registry / area).glob("[!.]*"))
    return [ChampionFolder(path) for path in folders if path.is_dir()]


def find_champion(workspace: Workspace, area: str, policy_version: str) -> ChampionFolder:
    """Return the folder of a version, as it was elected; of several, the one that a night has published last.

    Raises UsageError, naming those that there are, where the area has no such version, and DamagedFileError
    where it is not as it was elected.
    """
    served = dict(_served(workspace))
    all_of_area = champion_folders(workspace, area)
    found = [folder for folder in all_of_area if folder.card.policy_version == policy_version]
    if not found:
        known = ", ".join(folder.card.policy_version for folder in all_of_area) or "none"
        raise UsageError(f"{area} has no champion {policy_version!r}. It has: {known}.")
    last = max(found, key=lambda folder: served.get((area, folder.sha256), (date.min, date.min))[1])
    last.check(last.sha256)
    return last


@dataclass(frozen=True)
class _OfExperiments:
    """The experiments of an area: those against its champion, and the candidates of all, by hash."""

    standing: AreaExperiments
    tried: Collection[str]

    def run(self, sha256: str) -> bool:
        """Return whether the experiment of this candidate runs."""
        return self.standing.running is not None and self.standing.running.sha256 == sha256

    def have_tried(self, policy_version: str, sha256: str) -> bool:
        """Return whether any had this candidate; of nights that were pruned, only the version is known."""
        return policy_version in self.standing.tried or sha256 in self.tried


def _listed(
    folder: ChampionFolder,
    stands: StandingChampion,
    served: tuple[date, date] | None,
    oldest_night: date,
    experiments: _OfExperiments,
) -> ListedChampion:
    card, sha256 = folder.card, folder.sha256
    runs, was_tried = experiments.run(sha256), experiments.have_tried(card.policy_version, sha256)
    is_standing = stands.sha256 == sha256
    # Of nights that were pruned nothing is known but that they were.
    was_published = served is not None or card.as_of < oldest_night or (was_tried and not runs)
    state: State = "champion" if is_standing else "retired" if was_published else "candidate"
    first, last = served or (None, None)
    in_experiment: Literal["", "runs", "ended"] = "runs" if runs else "ended" if was_tried else ""
    hand: Hand = stands.hand if is_standing else ""
    return ListedChampion(card, sha256, state, first, last, hand, in_experiment)


def _tried(nights: Sequence[PublishedNight], area: str) -> frozenset[str]:
    """Return the hashes of the candidates whose experiments ran after published nights."""
    running = [
        ((night.manifest or {}).get(EXPERIMENTS) or {}).get(area, {}).get("running") for night in nights
    ]
    return frozenset(experiment["sha256"] for experiment in running if experiment)


def _served(workspace: Workspace) -> Iterator[tuple[tuple[str, str], tuple[date, date]]]:
    """Yield (area, hash of the card) → first and last date of the published nights that it served after."""
    dates: dict[tuple[str, str], list[date]] = {}
    for night in workspace.nights.all():
        resting = _resting(night)
        for area, entry in ((night.manifest or {}).get(CHAMPIONS) or {}).items():
            if area in resting:
                continue
            dates.setdefault((area, entry["sha256"]), []).append(night.as_of)
    for key, of_key in dates.items():
        yield key, (min(of_key), max(of_key))
