"""Learn: marts → one task per segment → candidate policies, each with its learning curve."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import polars as pl

from features.areas import RECOMMENDATION
from features.codes import MOST_SLOTS
from features.contracts.findings import finding
from features.contracts.outputs import LearningCurves
from features.tasks.build import DomainTasks, build_tasks
from features.tasks.reading import Reading
from features.tasks.segment_table import segment_table
from features.tasks.tables import read_tables
from features.warehouse.earned_money import money_findings
from features.warehouse.store import open_store
from flows.night_folder import Night, Note, StageNotes
from flows.progress import LearnerRun, ProgressListener, no_listener
from flows.registry.champions import champion_that_stands, stand_again
from flows.registry.experiments import candidate_stands_again, candidate_that_stands
from flows.settings import Learning, Settings
from flows.stages.estimated_propensities import with_estimates
from flows.stages.rank import rank
from flows.stages.task_settings import task_settings
from flows.workspace import Workspace
from offline_rl.device import limit_threads, training_device
from offline_rl.logged_data import Tasks
from offline_rl.meta.cautious import CAUTIOUS, cautious
from offline_rl.meta.choice import choose_contenders
from offline_rl.meta.learning_settings import LearningSettings
from offline_rl.meta.meta_policy import MetaPolicy
from offline_rl.meta.mixed_effects import MixedMetaPolicy
from offline_rl.meta.named_learners import BASELINE, CONSTANT, LEARNERS
from offline_rl.meta.refit import refitted
from offline_rl.meta.shared_fits import Refits, SharedFits
from offline_rl.meta.sharpened import sharpened
from offline_rl.registry import Contenders
from reports.wording.sentences import say


def learn(workspace: Workspace, night: Night, listener: ProgressListener = no_listener) -> None:
    """Build the tasks of every domain, train every learner on them, and write both to the work folder."""
    settings = workspace.settings
    limit_threads(settings.learning.threads)
    folder = workspace.night_folder(night.run_id)
    segments, curves, estimates, notes = [], [], [], []
    with folder.stage("learn"):
        for domain in night.domains:
            champion = champion_that_stands(workspace, night, domain)
            candidate = candidate_that_stands(workspace, night, domain)
            readings = () if champion is None else champion.readings
            of_candidate = () if candidate is None else candidate.readings
            built, left_out = _tasks(workspace, night, domain, (*readings, *of_candidate))
            notes += left_out
            if domain in night.estimated:
                estimated = with_estimates(built, night.run_id, seed=settings.night.seed)
                built = estimated.tasks
                estimates.append(estimated.table)
                notes += estimated.notes
            folder.save_tasks(built)
            if champion is not None:
                notes += stand_again(folder, domain, champion, built.read_again[: len(readings)])
            if candidate is not None:
                candidate_stands_again(folder, domain, candidate, built.read_again[len(readings) :])
            segments.append(segment_table(built, night.run_id, settings.segments.min_rounds, say))
            tasks = Tasks.of(built.arrays, f"the rounds of {domain}")
            learned = train(
                tasks,
                settings,
                domain,
                night.domains,
                listener,
                serves="" if champion is None else champion.card.learner,
                tried="" if candidate is None else candidate.card.learner,
            )
            folder.write_contenders(domain, learned.contenders)
            folder.save_policies(
                domain, served=learned.served, evaluated=learned.evaluated, learned=learned.policies
            )
            for policy in learned.policies:
                curves.append(_curve(policy, night.run_id, domain))
                notes += [Note(domain, policy.name, found) for found in policy.notes]
        notes += rank(workspace, night)
        folder.write_parts("out_estimated_propensities", estimates)
        folder.write_parts("out_segment_tasks", segments)
        folder.write_parts("out_learning_curves", curves)
        folder.write_notes("learn", StageNotes(tuple(notes), str(training_device())))


@dataclass(frozen=True)
class Learned:
    """The learned policies of one domain.

    policies: as they were on the validation segments.
    evaluated: the same on top of the pooled model of all rounds before the holdout (`offline_rl.meta.refit`),
        and the cautious policy, if there is one.
    served: those of them that may serve tomorrow, fitted a last time to all rounds with known rewards.
    contenders: which of them ask to serve.
    """

    policies: Sequence[MetaPolicy]
    evaluated: Sequence[MetaPolicy]
    served: Sequence[MetaPolicy]
    contenders: Contenders


def train(
    tasks: Tasks,
    settings: Settings,
    domain: str,
    domains: Sequence[str],
    listener: ProgressListener = no_listener,
    *,
    serves: str = "",
    tried: str = "",
) -> Learned:
    """Train the baseline and the learners of the configuration.

    The contenders are chosen here, on validation segments, before the holdout is used.
    domains: all domains that the night learns in. listener: receives the progress through them.
    serves: the learner of the champion that serves today; tried: that of the candidate of an experiment.
    Neither has to be shown by the log any more, so what they serve is read out sharply
    (`offline_rl.meta.sharpened`).
    """
    fits = SharedFits(tasks, learning_settings(settings.learning), settings.night.seed)
    asked_for = dict.fromkeys([*settings.learning.learners, *(learner.name for learner in CONSTANT)])
    learners = [BASELINE, *(LEARNERS[name] for name in asked_for)]
    before, runs = len(learners) * domains.index(domain), len(learners) * len(domains)
    learned: list[MetaPolicy] = []
    for place, learner in enumerate(learners, start=before):
        run = LearnerRun(domain, learner.name, place, runs, fits.settings.max_steps)
        learned.append(learner.meta_train(fits, progress=listener(run)))
    refits = Refits.before_holdout(fits)
    evaluated = [refitted(policy, refits) for policy in learned]
    # The baseline is what a learner asks to replace, so it doesn't ask itself.
    asked = choose_contenders(learned[1:], learned[0], fits)
    pooled = evaluated[0]
    assert isinstance(pooled, MixedMetaPolicy)
    softer = cautious(pooled, fits) if asked.plain == BASELINE.name else None
    if softer is not None:
        evaluated.append(softer)
    elif CAUTIOUS in (serves, tried):
        # As sharp as the pooled policy: that is what its way of learning comes to tonight.
        evaluated.append(replace(pooled, name=CAUTIOUS, curve=(), notes=()))
    contenders = Contenders(
        wanted=(*asked.learners[:1], asked.plain),
        cautious=None if softer is None else softer.name,
        constant=tuple(learner.name for learner in CONSTANT),
    )
    may_serve = {*contenders.compared, serves, tried}
    last = Refits.last(fits)
    # Of the policies as they were learned: one that was refitted is not moved a second time.
    once = [*learned, *evaluated[len(learned) :]]
    served = [refitted(policy, last) for policy in once if policy.name in may_serve]
    return Learned(
        learned,
        [sharpened(policy) if policy.name == serves else policy for policy in evaluated],
        [sharpened(policy) if policy.name in (serves, tried) else policy for policy in served],
        contenders,
    )


def learning_settings(learning: Learning) -> LearningSettings:
    """Return the configuration's settings of learning in the form that learners take."""
    return LearningSettings(
        hidden=learning.hidden,
        inner_lr=learning.inner_lr,
        inner_steps=learning.inner_steps,
        outer_lr=learning.outer_lr,
        max_steps=learning.max_steps,
    )


def _tasks(
    workspace: Workspace, night: Night, domain: str, standing: Sequence[Reading]
) -> tuple[DomainTasks, list[Note]]:
    propensities: Literal["estimated", "logged"] = "estimated" if domain in night.estimated else "logged"
    tried = night.champions.tried_beside(domain)
    settings = task_settings(workspace.settings, domain, propensities, tried=tried)
    with open_store(workspace.warehouse) as connection:
        tables = read_tables(connection, domain, settings, night.as_of)
        # An ad's log has the money of each ad itself.
        of_money = money_findings(connection, settings.reward) if domain == RECOMMENDATION.name else ()
    left_out = [Note(domain, "", found) for found in of_money]
    if tables.n_later_slots:
        found = finding("later_slots_left_out", domain, n_rounds=tables.n_later_slots, most=MOST_SLOTS)
        left_out.append(Note(domain, "", found))
    return build_tasks(tables, settings, night.as_of, standing), left_out


def _curve(policy: MetaPolicy, run_id: str, domain: str) -> pl.DataFrame:
    points = [
        {
            "run_id": run_id,
            "domain": domain,
            "learner": policy.name,
            "step": point.step,
            "loss": point.loss,
            "validation_value": point.validation_value,
            "zero_shot_value": point.zero_shot_value,
            "seconds": point.seconds,
        }
        for point in policy.curve
    ]
    frame = pl.DataFrame(points).with_columns(pl.col("loss").fill_nan(None))
    return LearningCurves.validate(frame, cast=True)
