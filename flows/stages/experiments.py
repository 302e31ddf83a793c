"""Experiments: the one that runs is read out and judged, and another one begins where the log can't tell.

All of it is before tomorrow's decisions, in the stage `evaluate`. The stop rule is in
`offline_rl/experiments`, who is in which arm in `offline_rl/decisions/recommendation/arms.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import inf
from typing import Any

import polars as pl

from features.areas import RECOMMENDATION
from features.codes import ALL_SEGMENTS
from features.contracts.findings import Finding, finding
from features.contracts.outputs import Verdicts
from features.contracts.policy_versions import policy_of, version_of
from features.contracts.recommendation import Experiments
from flows.night_folder import Night, NightFolder, Note
from flows.registry.elected import elect_candidate, keep_candidate
from flows.settings import Settings
from flows.stages.experiment_arms import earned_so_far
from flows.stages.worded import worded
from flows.standing import RunningExperiment
from flows.workspace import Workspace
from offline_rl.champions.standing import Today
from offline_rl.experiments.readout import ArmSums, Readout, read_out
from offline_rl.experiments.stop_rule import Outcome, outcome
from offline_rl.experiments.tonight import ExperimentTonight
from offline_rl.gate import Gate
from offline_rl.ope.trust.error_spending import confidence_of_look
from offline_rl.registry import Election


@dataclass(frozen=True, eq=False)
class JudgedExperiment:
    """One experiment after the night has judged it.

    tonight: what becomes of it. readout: of its users so far; served_share: of the candidate arm's rounds
    that the candidate served, None without any. versions: of what served the other arm until yesterday.
    """

    tonight: ExperimentTonight
    started_on: date
    readout: Readout
    served_share: float | None
    versions: tuple[str, ...]

    def day_of(self, night: Night) -> int:
        """Days since it began."""
        return (night.as_of - self.started_on).days


def judged_experiments(workspace: Workspace, night: Night) -> dict[str, JudgedExperiment]:
    """Return area → the experiment that ran when the night began, as its interval and its days judge it."""
    return {
        area: _judged(workspace, night, area, experiments.running)
        for area, experiments in night.champions.experiments.items()
        if experiments.running is not None
    }


def _judged(workspace: Workspace, night: Night, area: str, running: RunningExperiment) -> JudgedExperiment:
    settings, folder = workspace.settings, workspace.night_folder(night.run_id)
    candidate, started_on = running.policy_version, date.fromisoformat(running.started_on)
    day = (night.as_of - started_on).days
    earned = earned_so_far(workspace, night, area, running)
    version = _version_tonight(night, folder, area, candidate)
    can_serve = version != candidate or folder.candidate_folder(area).is_dir()
    decided = _ended_otherwise(night, folder, settings, area, candidate, can_serve=can_serve) or outcome(
        candidate,
        earned.readout,
        chance=earned.chance,
        day=day,
        max_days=running.max_days,
        min_users=settings.experiment.min_users_per_arm,
    )
    return JudgedExperiment(
        ExperimentTonight(
            area,
            candidate,
            version,
            policy_of(candidate),
            running.share,
            decided.status,
            decided.found,
            running.max_days,
            settings.segments.protected,
        ),
        started_on,
        earned.readout,
        earned.served_share,
        running.champion_versions,
    )


def _version_tonight(night: Night, folder: NightFolder, area: str, candidate: str) -> str:
    """Return the version of what serves the candidate's arm tomorrow: what its learner has learned tonight.

    What is compared is a way of learning, as what is elected is one. Where the learner did not learn tonight,
    the candidate serves as it was when the experiment began.
    """
    learner = policy_of(candidate)
    has_learned = area in night.domains and learner in folder.policy_names(area)
    return version_of(learner, night.run_id) if has_learned else candidate


def _ended_otherwise(
    night: Night, folder: NightFolder, settings: Settings, area: str, candidate: str, *, can_serve: bool
) -> Outcome | None:
    """Return why an experiment ends whatever its interval says; None where that decides."""
    code = ""
    if night.champions.of(area).hand:
        code = "experiment_ended_by_hand"
    elif not settings.experiment.share:
        code = "experiment_switched_off"
    elif area not in night.domains or not folder.names(area).has_users:
        code = "experiment_not_learned"
    elif not can_serve:
        code = "experiment_candidate_gone"
    return Outcome("ended", Finding(code, candidate)) if code else None


def begin(
    workspace: Workspace, night: Night, domain: str, election: Election, gate: Gate, *, today: Today
) -> JudgedExperiment | None:
    """Begin an experiment with a candidate that is to be tested, or leads and is held, or can't be judged.

    Returns None where there is none to begin. election: at most `test` on estimated propensities.
    """
    settings, folder = workspace.settings, workspace.night_folder(night.run_id)
    found = election.overall
    is_open = found.verdict == "test" or (found.verdict == "hold" and not found.difference <= 0)
    is_asked = domain == RECOMMENDATION.name and settings.experiment.share > 0
    is_another = today.standing is None or today.standing.learner != found.candidate
    if not (is_asked and is_open and is_another and gate.withheld is None and folder.names(domain).has_users):
        return None
    keep_candidate(folder, night, domain, settings=settings, today=today, found=found)
    candidate = version_of(found.candidate, night.run_id)
    share, max_days = settings.experiment.share, settings.experiment.max_days
    tonight = ExperimentTonight(
        domain,
        candidate,
        candidate,
        found.candidate,
        share,
        "started",
        finding("experiment_started", candidate, share=share, max_days=max_days),
        max_days,
        settings.segments.protected,
    )
    n_tried = 1 + len(night.champions.experiments_of(domain).tried)
    confidence = confidence_of_look(n_tried, settings.evaluation.confidence)
    nobody = ArmSums.of_nobody()
    readout = read_out(nobody, nobody, standard_errors=inf, confidence=confidence, min_users=1)
    return JudgedExperiment(tonight, night.as_of, readout, None, ())


def settled(
    judged: JudgedExperiment,
    work: NightFolder,
    night: Night,
    election: Election,
    *,
    settings: Settings,
    today: Today,
) -> JudgedExperiment:
    """Return an experiment after the gate of its area; a candidate that has won is elected.

    It ends where the gate has promoted a policy.
    """
    tonight = judged.tonight
    if tonight.is_won:
        elect_candidate(
            work, night, settings=settings, today=today, experiment=tonight, readout=judged.readout
        )
    if election.overall.verdict != "promote" or not tonight.has_arms:
        return judged
    found = Finding("experiment_overtaken", tonight.candidate)
    return replace(judged, tonight=replace(tonight, status="ended", found=found))


def with_verdict(table: pl.DataFrame, judged: JudgedExperiment, gate: Gate) -> pl.DataFrame:
    """Return the verdicts of a domain, as its experiment decides them; as they are where it decides nothing.

    table: rows of out_verdicts of the domain, of a gate that promotes nothing on a night that decides.
    """
    tonight, readout = judged.tonight, judged.readout
    verdict = {"promoted": "promote", "rejected": "reject"}.get(tonight.status)
    if verdict is None:
        return table
    decided = {
        "candidate": tonight.learner,
        "baseline": gate.today,
        "difference": readout.difference,
        "lower": readout.lower,
        "upper": readout.upper,
        "discounted_difference": None,
        "discounted_upper": None,
        "baseline_value": readout.champion.mean,
        "n_rounds": readout.candidate.total_rounds + readout.champion.total_rounds,
        "ess": None,
        "judged_from": judged.started_on + timedelta(days=1),
        "n_origins": 1,
        "split_by": "time",
        "evidence_level": "experiment",
        "verdict": verdict,
        **worded([tonight.found]),
    }
    served = {
        "evidence_level": "experiment",
        "verdict": "served",
        **worded([Finding("experiment_in_segment", tonight.candidate)]),
    }
    rows = []
    for row in table.iter_rows(named=True):
        changed: dict[str, Any] = dict(decided) if row["segment_id"] == ALL_SEGMENTS else {}
        if tonight.is_won and row["verdict"] != "protected":
            changed |= {"champion": tonight.learner} | ({} if changed else served)
        rows.append(row | changed)
    return Verdicts.validate(pl.DataFrame(rows, schema=table.schema), cast=True)


def write_experiments(
    folder: NightFolder, night: Night, experiments: Mapping[str, JudgedExperiment]
) -> list[Note]:
    """Write what becomes of each experiment, for tomorrow's decisions, and out_experiments; returns notes."""
    for area, judged in experiments.items():
        folder.write_experiment(area, judged.tonight)
    rows = [_row(night, judged) for judged in experiments.values()]
    if rows:
        frame = pl.DataFrame(rows, schema=Experiments.create_empty().schema)
        folder.write_table("out_experiments", Experiments.validate(frame.fill_nan(None), cast=True))
    return [Note(area, "", judged.tonight.found) for area, judged in experiments.items()]


def _row(night: Night, judged: JudgedExperiment) -> dict[str, Any]:
    tonight, readout = judged.tonight, judged.readout
    return {
        "run_id": night.run_id,
        "domain": tonight.area,
        "experiment_id": tonight.experiment_id,
        "candidate": tonight.candidate,
        "champion": " ".join(judged.versions) or None,
        "started_on": judged.started_on,
        "day": judged.day_of(night),
        "share": tonight.share,
        "n_users_candidate": readout.candidate.n_users,
        "n_users_champion": readout.champion.n_users,
        "n_rounds_candidate": readout.candidate.total_rounds,
        "n_rounds_champion": readout.champion.total_rounds,
        "value_candidate": readout.candidate.mean,
        "value_champion": readout.champion.mean,
        "served_share": judged.served_share,
        "difference": readout.difference,
        "lower": readout.lower,
        "upper": readout.upper,
        "confidence": readout.confidence,
        "status": "running" if tonight.status == "started" else tonight.status,
        **worded([tonight.found]),
    }
