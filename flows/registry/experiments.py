"""The experiments of a shop: a candidate that stands again, and what runs after a night.

A candidate is in the registry like a champion. That it is served to a share of the users is said by the
manifest of the night that began the experiment and of those after it, and nowhere else, so that a night that
is taken back takes its experiment back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from features.contracts.policy_versions import OWN_POLICY, version_of
from features.tasks.reading import ReadAgain
from flows.champion_folder import ChampionFolder, register, registered
from flows.night_folder import Night, NightFolder
from flows.settings import Settings
from flows.standing import AreaExperiments, RunningExperiment
from flows.workspace import Workspace
from offline_rl.experiments.tonight import ExperimentTonight

SLATES = "out_recommendations"


def candidate_that_stands(workspace: Workspace, night: Night, area: str) -> ChampionFolder | None:
    """Return the folder of the candidate of an experiment that runs, checked; None where none runs.

    A decision by hand ends one before it is read. Raises DamagedFileError where the candidate is not as it
    was when the experiment began.
    """
    running = night.champions.experiments_of(area).running
    if running is None or night.champions.of(area).hand:
        return None
    return registered(workspace.registry / area, running.sha256)


def candidate_stands_again(
    work: NightFolder, area: str, candidate: ChampionFolder, read: Sequence[ReadAgain]
) -> None:
    """Put a candidate into the work of a night, unless none of tonight's items is one of its own."""
    if (read[0].known >= 0).any():
        work.write_candidate(area, candidate.path, read)


def experiments_after(workspace: Workspace, night: Night, work: NightFolder) -> Mapping[str, AreaExperiments]:
    """Return the experiments after a night, and copy the candidates of new ones into the registry.

    A promotion begins anew: its champion has met no candidate yet.
    """
    areas = {*night.champions.experiments, *night.domains}
    found: dict[str, AreaExperiments] = {}
    for area in sorted(areas):
        before, tonight = night.champions.experiments_of(area), work.experiment(area)
        if not work.is_promoted(area):
            after = _after(workspace, night, work, before, tonight)
            found |= {area: after} if after.tried else {}
    return found


def _after(
    workspace: Workspace,
    night: Night,
    work: NightFolder,
    before: AreaExperiments,
    tonight: ExperimentTonight | None,
) -> AreaExperiments:
    if tonight is None or not tonight.has_arms:
        return replace(before, running=None)
    beside = _versions_beside(workspace.settings, work, tonight.version)
    if before.running is not None:
        versions = tuple(dict.fromkeys((*before.running.champion_versions, *beside)))
        return replace(before, running=replace(before.running, champion_versions=versions))
    registered = register(work.new_candidate(tonight.area), workspace.registry / tonight.area)
    running = RunningExperiment(
        policy_version=tonight.candidate,
        sha256=registered.sha256,
        started_on=night.as_of.isoformat(),
        share=tonight.share,
        max_days=tonight.max_days,
        champion_versions=beside,
    )
    return AreaExperiments(running, (*before.tried, tonight.candidate))


def _versions_beside(settings: Settings, work: NightFolder, candidate: str) -> tuple[str, ...]:
    """Return the versions that tomorrow's table serves beside the candidate's.

    The shop's own policy has a version of each night's, and is named once.
    """
    if SLATES not in work.table_names:
        return ()
    own = settings.night.incumbent_policy or OWN_POLICY
    versions = work.table(SLATES)["policy_version"].unique().sort().to_list()
    return tuple(
        own if version == version_of(own, work.run_id) else version
        for version in versions
        if version != candidate
    )
