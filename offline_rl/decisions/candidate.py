"""The candidate of an experiment before its decisions: learned tonight, or as it was when it began."""

from features.contracts.findings import Finding
from offline_rl.champions.standing import Today
from offline_rl.decisions.night import DecisionNight
from offline_rl.decisions.served_policy import FallbackLevel, ServedPolicy
from offline_rl.decisions.tomorrow import Tomorrow, level_in
from offline_rl.experiments.tonight import ExperimentTonight


def tomorrow_of_candidate(night: DecisionNight, experiment: ExperimentTonight) -> Tomorrow:
    """Read an area of policies before the decisions of the candidate: learned tonight, or standing again."""
    folder, area = night.folder, night.area
    tasks = folder.tasks(area)
    targets = folder.targets(area, tasks)
    standing = folder.candidate(area)
    levels: list[FallbackLevel]
    if standing is None or experiment.version != standing.policy_version:
        learned = folder.last_fit(area, experiment.learner)
        today = Today(tasks, night.exploration, folder.standing(area))
        layers = today.after(learned, frozenset(), targets)
        levels = [level_in(tasks, learned, segment) for segment in range(tasks.n_segments)]
    else:
        layers = standing.tonight(tasks, night.exploration, targets)
        levels = ["segment" if standing.is_adapted else "pooled"] * tasks.n_segments
    code = "promoted" if experiment.is_won else "in_experiment"
    reasons = (Finding(code, experiment.learner), experiment.found)
    served = (ServedPolicy(experiment.version, level, reasons, "experiment") for level in levels)
    return Tomorrow(tasks, targets, layers, tuple(served))
