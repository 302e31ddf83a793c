"""Learn: the marts → one task per segment → candidate policies, with how each of them got there."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import polars as pl

from features.contracts.outputs import LearningCurves
from features.tasks.build import DomainTasks, build_tasks
from features.tasks.files import save_tasks
from features.tasks.segment_table import segment_table
from features.tasks.settings import TaskSettings
from features.tasks.tables import read_tables
from features.warehouse.store import open_store
from flows.progress import Lesson, Watch, unwatched
from flows.settings import Settings
from flows.stages import stage
from flows.threads import limit_threads
from flows.workspace import Night, Workspace, write_json
from offline_rl.artifacts import save_policy
from offline_rl.logged_data import load_tasks, training_device
from offline_rl.meta.cautious import cautious
from offline_rl.meta.choice import Asking, asking
from offline_rl.meta.learner import LearningSettings, MetaPolicy
from offline_rl.meta.mixed_effects import MixedMetaPolicy
from offline_rl.meta.mixed_start import mixed_start
from offline_rl.meta.named_learners import BASELINE, CONSTANT, LEARNERS
from offline_rl.meta.refit import refitted


def learn(workspace: Workspace, night: Night, watch: Watch = unwatched) -> None:
    """Build the tasks of every domain, train every learner on them, and leave both in the work folder."""
    limit_threads(workspace.settings.learning.threads)
    folder = workspace.work(night.run_id)
    segments, curves, notes = [], [], []
    with stage(workspace, night, "learn"):
        for domain in night.domains:
            tasks = _tasks(workspace, night, domain)
            save_tasks(tasks, folder)
            segments.append(segment_table(tasks, night.run_id, workspace.settings.segments.min_rounds))
            learned = train(workspace, night, domain, watch)
            write_json(
                folder / f"asking_{domain}.json", {**asdict(learned.asking), "cautious": learned.cautious}
            )
            for policy in learned.served:
                save_policy(policy, folder / "policies" / domain)
            for policy in learned.policies:
                save_policy(policy, folder / "learned" / domain)
                curves.append(_curve(policy, night.run_id, domain))
                notes += [f"{domain}, {policy.name}: {note}" for note in policy.notes]
        if night.domains:
            pl.concat(segments).write_parquet(folder / "out_segment_tasks.parquet")
            pl.concat(curves).write_parquet(folder / "out_learning_curves.parquet")
        write_json(folder / "learning.json", {"device": str(training_device()), "notes": notes})


@dataclass(frozen=True)
class Learned:
    """What one domain's learners have learned.

    policies: as validation judged them. served: the same upon the pooled model of all rounds before the
    holdout (`offline_rl.meta.refit`). asking: who asks to serve. cautious: name of the one among the served
    that opens the gate (`offline_rl.meta.cautious`); None where there is none.
    """

    policies: Sequence[MetaPolicy]
    served: Sequence[MetaPolicy]
    asking: Asking
    cautious: str | None


def train(workspace: Workspace, night: Night, domain: str, watch: Watch) -> Learned:
    """Train the baseline and the learners of the configuration.

    Who asks to serve is decided here, on validation segments, long before the holdout is opened.
    """
    settings, seed = workspace.settings.learning, workspace.settings.night.seed
    tasks = load_tasks(workspace.work(night.run_id) / f"rounds_{domain}.npz")
    how = LearningSettings(
        hidden=settings.hidden,
        inner_lr=settings.inner_lr,
        inner_steps=settings.inner_steps,
        outer_lr=settings.outer_lr,
        max_steps=settings.max_steps,
    )
    asked_for = dict.fromkeys([*settings.learners, *(learner.name for learner in CONSTANT)])
    learners = [BASELINE, *(LEARNERS[name] for name in asked_for)]
    before, lessons = len(learners) * night.domains.index(domain), len(learners) * len(night.domains)
    learned: list[MetaPolicy] = []
    for place, learner in enumerate(learners, start=before):
        lesson = Lesson(domain, learner.name, place, lessons, how.max_steps)
        learned.append(learner.meta_train(tasks, how, seed, progress=watch(lesson)))
    served = [refitted(policy, tasks, how, seed) for policy in learned]
    # The baseline is what a learner asks to replace, so it doesn't ask itself.
    asked = asking(learned[1:], learned[0], lambda: mixed_start(tasks, how.hidden, seed))
    pooled = served[0]
    assert isinstance(pooled, MixedMetaPolicy)
    softer = cautious(pooled, tasks, seed) if asked.plain == BASELINE.name else None
    if softer is not None:
        served.append(softer)
    return Learned(learned, served, asked, None if softer is None else softer.name)


def _tasks(workspace: Workspace, night: Night, domain: str) -> DomainTasks:
    settings = _task_settings(workspace.settings, domain)
    with open_store(workspace.warehouse) as connection:
        tables = read_tables(connection, domain, settings, night.as_of)
    return build_tasks(tables, settings, night.as_of)


def _task_settings(settings: Settings, domain: str) -> TaskSettings:
    tasks = TaskSettings(
        reward=settings.night.reward,
        attribution_hours=settings.night.attribution_hours,
        segments_by=settings.segments.by,
        clusters=settings.segments.clusters,
        min_rounds=settings.segments.min_rounds,
        salt=settings.segments.salt,
        support_share=settings.segments.support_share,
        query_share=settings.segments.query_share,
        evidence_policies=settings.night.evidence_policies,
        incumbent_policy=settings.night.incumbent_policy,
        seed=settings.night.seed,
    )
    # Ad servers log no policy version, so every ad impression with a propensity is evidence.
    return tasks if domain == "recommendation" else replace(tasks, evidence_policies=(), incumbent_policy="")


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
