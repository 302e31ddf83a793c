"""Running the protocol: studies side by side, learners one after another, each outcome kept at once.

<out>/splits/<world>-<seed>.json     which segments teach and which judge, written before anything is trained
<out>/outcomes/<world>-<seed>.jsonl  one line for each learner, see outcome.py
<out>/ledger.jsonl                   each opening of a test split
"""

import hashlib
import json
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import get_args

import numpy as np

import features
import offline_rl
from features.errors import UsageError
from features.simulator.settings import WorldName
from flows.ledger import append_line
from flows.simulations import studies
from flows.simulations.studies.learners import LEARNERS, POOLED
from flows.simulations.studies.ledger import Entry
from flows.simulations.studies.opening import Opening, Values, gain_in_errors, judge, open_test
from flows.simulations.studies.outcome import Outcome, read_outcomes
from flows.simulations.studies.study import StudySettings, make_study
from offline_rl.comparison.curves import INNER_STEPS, SUPPORT_ROUNDS, Adapter, ways_to_adapt
from offline_rl.device import limit_threads
from offline_rl.meta.choice import asking, likelihood_gains
from offline_rl.meta.fit_by_time import FittedPolicy
from offline_rl.meta.learning_settings import LearningSettings
from offline_rl.meta.meta_policy import MetaPolicy
from offline_rl.meta.mixed_effects import MixedMetaPolicy
from offline_rl.meta.refit import refitted
from offline_rl.meta.shared_fits import SharedFits
from reports.wording.sentences import sentences

# Studies write contexts without history, the only thing that tells users of a personal world apart.
WORLDS: tuple[WorldName, ...] = tuple(world for world in get_args(WorldName) if world != "personal")
LEDGER = "ledger.jsonl"

Say = Callable[[str], None]


@dataclass(frozen=True)
class ProtocolSettings:
    """What is frozen before a test split is opened; world and seed of `study` are replaced by each run's.

    exploration: share of uniform choice that every policy is judged with.
    steps, support: what the two curves are drawn over, beside no support and all of it.
    curve_seeds: they are drawn for so many of the first seeds.
    """

    study: StudySettings = field(default_factory=lambda: StudySettings("homogeneous", 0))
    learning: LearningSettings = field(default_factory=LearningSettings)
    exploration: float = 0.1
    steps: tuple[int, ...] = INNER_STEPS
    support: tuple[int, ...] = SUPPORT_ROUNDS
    curve_seeds: int = 3

    @property
    def sha256(self) -> str:
        """Hash of all settings but world and seed, and of the code that learns and judges."""
        settings = asdict(self)
        del settings["study"]["world"], settings["study"]["seed"]
        content = json.dumps({"settings": settings, "code": _code_sha256()}, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()


@dataclass(frozen=True)
class Job:
    """One study, and who is to be judged in it."""

    settings: ProtocolSettings
    config_sha256: str
    world: WorldName
    seed: int
    learners: tuple[str, ...]
    with_curves: bool
    out: Path

    @property
    def outcomes(self) -> Path:
        """Where the study's outcomes are kept."""
        return self.out / "outcomes" / f"{self.world}-{self.seed}.jsonl"


def everybody() -> tuple[str, ...]:
    """All whom the protocol compares, in the order of its tables."""
    return tuple(LEARNERS)


def run_protocol(
    settings: ProtocolSettings,
    out: Path,
    *,
    worlds: Sequence[WorldName] = WORLDS,
    seeds: Sequence[int] = range(10),
    learners: Sequence[str] = (),
    jobs: int = 1,
    say: Say = lambda _line: None,
) -> list[Outcome]:
    """Judge the learners, by default all, in every world and seed; return all outcomes.

    What is found in `out` under the same configuration is not done again, so an interrupted run goes on.
    jobs: processes side by side, with one thread each.
    Raises UsageError for a learner or world that doesn't exist, and the first failure of a study after the
    others are through.
    """
    names = tuple(learners) or everybody()
    for name in (*names, *worlds):
        if name not in (*everybody(), *WORLDS):
            raise UsageError(
                f"{name} is no learner and no world of the protocol. Learners: {', '.join(everybody())}; "
                f"worlds: {', '.join(WORLDS)}."
            )
    frozen = settings.sha256
    todo = [
        Job(settings, frozen, world, seed, names, place < settings.curve_seeds, out)
        for place, seed in enumerate(seeds)
        for world in worlds
    ]
    failures: list[Exception] = []
    # Spawned processes import the code anew, at once: what changes on disk later doesn't reach them.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin_process) as pool:
        began = time.perf_counter()
        started = {pool.submit(run_study, job): job for job in todo}
        for done, future in enumerate(as_completed(started), start=1):
            job, error = started[future], future.exception()
            if isinstance(error, Exception):
                failures.append(error)
            how = f"failed: {error}" if error else "done"
            say(f"{job.world} {job.seed}: {how} ({done}/{len(todo)}, {time.perf_counter() - began:.0f} s)")
    if failures:
        raise failures[0]
    return [
        outcome for job in todo for outcome in read_outcomes(job.outcomes, frozen) if outcome.learner in names
    ]


def _begin_process() -> None:
    """One thread to compute with, and one that ends the process when whoever started it is gone."""
    limit_threads(1)
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def run_study(job: Job) -> None:
    """Train and judge the learners of one study that have no outcome yet."""
    known = {outcome.learner for outcome in read_outcomes(job.outcomes, job.config_sha256)}
    missing = [name for name in job.learners if name not in known]
    if not missing:
        return
    study = make_study(replace(job.settings.study, world=job.world, seed=job.seed))
    study.splits.seal(job.out / "splits" / f"{job.world}-{job.seed}.json")
    fits = SharedFits(study.tasks(), job.settings.learning, job.seed)
    began = time.process_time()
    pooled = LEARNERS[POOLED].meta_train(fits)
    assert isinstance(pooled, MixedMetaPolicy)
    opening = open_test(study, fits.tasks, pooled.model, job.settings.exploration)
    baseline = judge(_as_learned(refitted(pooled, fits)), opening)
    warm_seconds = time.process_time() - began
    for name in missing:
        began = time.process_time()
        policy = pooled if name == POOLED else LEARNERS[name].meta_train(fits)
        served = refitted(policy, fits)
        trained = time.process_time()
        # Before the split is opened: a run that dies afterwards has looked as well.
        append_line(
            job.out / LEDGER,
            Entry(job.world, job.seed, name, study.splits.sha256, job.config_sha256),
        )
        values = judge(_as_learned(served), opening)
        steps, support = _curves(policy, opening, job.settings) if job.with_curves else ({}, {})
        append_line(
            job.outcomes,
            Outcome(
                world=job.world,
                seed=job.seed,
                learner=name,
                config_sha256=job.config_sha256,
                segments=opening.segments,
                rounds=[part.holdout.n for part in opening.parts],
                logging=opening.logging.tolist(),
                oracle=opening.oracle.tolist(),
                true=values.true.tolist(),
                before_refit=judge(_as_learned(policy), opening).true.tolist(),
                dr=values.dr.tolist(),
                gain_in_errors=gain_in_errors(values, baseline, opening).tolist(),
                validation_gain=policy.validation_gain,
                likelihood_gain=_likelihood_gain(policy, pooled, fits),
                lead=policy.lead if isinstance(policy, FittedPolicy) else None,
                asks=name in asking([policy], pooled, fits).learners,
                adapts=policy.adapts,
                notes=list(sentences(policy.notes)),
                steps=steps,
                support=support,
                **_weights(values),
                train_seconds=trained - began + (warm_seconds if name == POOLED else 0.0),
                judge_seconds=time.process_time() - trained,
            ),
        )


def _likelihood_gain(policy: MetaPolicy, pooled: MetaPolicy, fits: SharedFits) -> float | None:
    """By which those that take steps are ordered; None for what is fitted in one go or predicts no reward."""
    if isinstance(policy, FittedPolicy):
        return None
    return next(iter(likelihood_gains([policy], pooled, fits.mixed_start).values()), None)


def _as_learned(policy: MetaPolicy) -> Adapter:
    return lambda unseen: policy.adapt(unseen.support)


def _curves(
    policy: MetaPolicy, opening: Opening, settings: ProtocolSettings
) -> tuple[dict[str, float], dict[str, float]]:
    """The shares of the gap over gradient steps, and over rounds of support, "all" last."""
    steps, support = {}, {}
    if policy.adapts:
        for way in ways_to_adapt(policy, settings.support, settings.steps):
            share = opening.share(judge(way.adapt, opening).true)
            if way.curve == "inner_steps":
                steps[str(way.amount)] = share
            else:
                support["all" if way.amount is None else str(way.amount)] = share
    return steps, support


def _weights(values: Values) -> dict[str, float]:
    weight = values.weight
    error = float(weight.std(ddof=1)) / np.sqrt(len(weight))
    return {
        "ips": float((weight * values.reward).mean()),
        "snips": float((weight * values.reward).sum() / weight.sum()),
        "ess": float(weight.sum() ** 2 / (weight**2).sum()),
        "largest_weight": float(weight.max()),
        "weight_in_errors": (float(weight.mean()) - 1.0) / error if error > 0 else 0.0,
    }


def _code_sha256() -> str:
    """Hash of every source file that can change an outcome."""
    packages = [Path(next(iter(package.__path__))) for package in (offline_rl, features, studies)]
    digest = hashlib.sha256()
    for package in packages:
        for file in sorted(package.rglob("*.py")):
            digest.update(file.relative_to(package).as_posix().encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()
