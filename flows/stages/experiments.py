"""Experiments: the one that runs is read out and judged, and another one begins where the log can't tell.

All of it is before tomorrow's decisions, in the stage `evaluate`. The stop rule is in
`offline_rl/experiments`, who is in which arm in `offline_rl/decisions/recommendation/arms.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from features.areas import RECOMMENDATION, area_of
from features.codes import ALL_SEGMENTS
from features.contracts.findings import Finding, finding
from features.contracts.outputs import Verdicts
from features.contracts.policy_versions import policy_of, version_of
from features.contracts.recommendation import Experiments
from features.warehouse.store import SQL, open_store
from flows.night_folder import Night, NightFolder, Note
from flows.registry.elected import elect_candidate, keep_candidate
from flows.settings import Settings
from flows.stages.verdicts import protected_segments
from flows.stages.worded import worded
from flows.standing import RunningExperiment
from flows.workspace import Workspace
from offline_rl.champions.standing import Today
from offline_rl.decisions.recommendation.arms import in_candidate_arm
from offline_rl.experiments.readout import ArmSums, Readout, read_out
from offline_rl.experiments.stop_rule import Outcome, outcome
from offline_rl.experiments.tonight import ExperimentTonight, experiment_id
from offline_rl.gate import Gate
from offline_rl.ope.trust.error_spending import confidence_of_look
from offline_rl.registry import Election

PLANNED_DAYS = 7
"""The interval is narrowest after the rounds of this many days, with as many a day as before the start."""


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
    """Return area → the experiment that ran when the night began; a candidate that has won is elected."""
    found = {}
    for area, experiments in night.champions.experiments.items():
        if experiments.running is not None:
            judged = _judged(workspace, night, area, experiments.running)
            if judged.tonight.is_won:
                elect_candidate(workspace.night_folder(night.run_id), night, area, judged.readout)
            found[area] = judged
    return found


def _judged(workspace: Workspace, night: Night, area: str, running: RunningExperiment) -> JudgedExperiment:
    settings, folder = workspace.settings, workspace.night_folder(night.run_id)
    candidate, started_on = running.policy_version, date.fromisoformat(running.started_on)
    n_tried = len(night.champions.experiments_of(area).tried)
    users = _users(workspace, area, running)
    is_candidate = in_candidate_arm(
        users["user_key"].to_list(), experiment_id(area, candidate), running.share
    )
    arms = [
        ArmSums(of_arm["n_rounds"].to_numpy(), of_arm["reward"].to_numpy())
        for of_arm in (users.filter(is_candidate), users.filter(~is_candidate))
    ]
    readout = read_out(
        *arms,
        planned_rounds=running.planned_rounds,
        confidence=confidence_of_look(n_tried, settings.evaluation.confidence),
        min_users=settings.experiment.min_users_per_arm,
    )
    decided = _ended_otherwise(night, folder, settings, area, candidate) or outcome(
        candidate,
        readout,
        day=(night.as_of - started_on).days,
        max_days=settings.experiment.max_days,
        min_users=settings.experiment.min_users_per_arm,
    )
    n_served = int(users.filter(is_candidate)["n_served"].sum())
    return JudgedExperiment(
        ExperimentTonight(
            area,
            candidate,
            policy_of(candidate),
            running.share,
            decided.status,
            decided.found,
            running.planned_rounds,
            settings.segments.protected,
        ),
        started_on,
        readout,
        n_served / arms[0].total_rounds if arms[0].n_users else None,
        running.champion_versions,
    )


def _ended_otherwise(
    night: Night, folder: NightFolder, settings: Settings, area: str, candidate: str
) -> Outcome | None:
    """Return why an experiment ends whatever its interval says; None where that decides."""
    code = ""
    if night.champions.of(area).hand:
        code = "experiment_ended_by_hand"
    elif not settings.experiment.share:
        code = "experiment_switched_off"
    elif area not in night.domains or not folder.names(area).has_users:
        code = "experiment_not_learned"
    elif not folder.candidate_folder(area).is_dir():
        code = "experiment_candidate_gone"
    return Outcome("ended", Finding(code, candidate)) if code else None


def _users(workspace: Workspace, area: str, running: RunningExperiment) -> pl.DataFrame:
    """Return user_key, n_rounds, reward and n_served of the users with mature rounds in an experiment."""
    reward = workspace.settings.night.counted.in_sql(area_of(area).rewards)
    query = (SQL / "queries" / "experiment_users.sql").read_text().replace("reward_column", reward)
    asked = {
        "area": area,
        "started_on": date.fromisoformat(running.started_on),
        "candidate": running.policy_version,
    }
    with open_store(workspace.warehouse) as connection:
        users: pl.DataFrame = connection.sql(query, params=asked).pl()
    return users


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
    places = protected_segments(today.tasks.segment_ids, settings)
    protected = tuple(today.tasks.segment_ids[place] for place in places)
    keep_candidate(folder, night, domain, settings=settings, today=today, found=found, protected=protected)
    candidate = version_of(found.candidate, night.run_id)
    share, max_days = settings.experiment.share, settings.experiment.max_days
    tonight = ExperimentTonight(
        domain,
        candidate,
        found.candidate,
        share,
        "started",
        finding("experiment_started", candidate, share=share, max_days=max_days),
        _planned_rounds(folder.rounds(domain), night.as_of),
        settings.segments.protected,
    )
    n_tried = 1 + len(night.champions.experiments_of(domain).tried)
    confidence = confidence_of_look(n_tried, settings.evaluation.confidence)
    nobody = ArmSums.of_nobody()
    readout = read_out(nobody, nobody, planned_rounds=1, confidence=confidence, min_users=1)
    return JudgedExperiment(tonight, night.as_of, readout, None, ())


def _planned_rounds(rounds: pl.DataFrame, as_of: date) -> int:
    """Return the rounds of the last days, which tells how many an experiment has in as many."""
    first = as_of - timedelta(days=PLANNED_DAYS - 1)
    return max(1, rounds.filter(pl.col("decided_at").dt.date() >= first).height)


def with_verdict(table: pl.DataFrame, judged: JudgedExperiment, gate: Gate) -> pl.DataFrame:
    """Return the verdicts of a domain, as its experiment decides them; as they are where it decides nothing.

    table: rows of out_verdicts of the domain, of a gate that promotes nothing meanwhile.
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
