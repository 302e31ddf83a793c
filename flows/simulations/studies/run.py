"""The protocol's run: studies in parallel, learners one after another, each outcome written at once.

<out>/splits/<world>-<seed>.json     the split of each segment, written before anything is trained
<out>/outcomes/<world>-<seed>.jsonl  one line for each learner, see outcome.py
<out>/ledger.jsonl                   one line for each use of a test split, see split_ledger.py
"""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from features.errors import UsageError
from features.simulator.settings import SINGLE_NIGHT_WORLDS, WorldName
from flows.code_version import code_sha256
from flows.ledger import append_line
from flows.progress import LinePrinter
from flows.simulations.parallel import run_parallel
from flows.simulations.studies.learners import LEARNERS, POOLED
from flows.simulations.studies.meta_test_split import (
    MetaTestSplit,
    SplitValues,
    evaluate_on_split,
    gain_in_errors,
    meta_test_split,
)
from flows.simulations.studies.outcome import Outcome, read_outcomes
from flows.simulations.studies.split_ledger import SplitUse
from flows.simulations.studies.study import StudySettings, make_study
from offline_rl.comparison.curves import INNER_STEPS, SUPPORT_ROUNDS, Adapter, ways_to_adapt
from offline_rl.meta.choice import choose_contenders, likelihood_gains
from offline_rl.meta.fit_by_time import FittedPolicy
from offline_rl.meta.learning_settings import LearningSettings
from offline_rl.meta.meta_policy import MetaPolicy
from offline_rl.meta.mixed_effects import MixedMetaPolicy
from offline_rl.meta.refit import refitted
from offline_rl.meta.shared_fits import Refits, SharedFits
from reports.wording.sentences import sentences

# Without the personal world: its users differ in their history alone, and contexts of studies have none.
WORLDS: tuple[WorldName, ...] = tuple(world for world in SINGLE_NIGHT_WORLDS if world != "personal")
LEDGER = "ledger.jsonl"

CODE = ("features", "flows.simulations.studies", "offline_rl")
"""The packages whose sources can change an outcome."""


@dataclass(frozen=True)
class ProtocolSettings:
    """The settings frozen before a test split is used; each run replaces world and seed of `study`.

    exploration: share of uniform choice of every evaluated policy.
    steps, support: gradient steps and rounds of support along the two curves, besides no support and all.
    curve_seeds: the curves are made for the first `curve_seeds` seeds.
    """

    study: StudySettings = field(default_factory=lambda: StudySettings("homogeneous", 0))
    learning: LearningSettings = field(default_factory=LearningSettings)
    exploration: float = 0.1
    steps: tuple[int, ...] = INNER_STEPS
    support: tuple[int, ...] = SUPPORT_ROUNDS
    curve_seeds: int = 3

    @property
    def sha256(self) -> str:
        """The hash of all settings except world and seed, and of the code that learns and evaluates."""
        settings = asdict(self)
        del settings["study"]["world"], settings["study"]["seed"]
        content = json.dumps({"settings": settings, "code": code_sha256(*CODE)}, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()


@dataclass(frozen=True)
class Job:
    """One study, and the learners to evaluate in it."""

    settings: ProtocolSettings
    config_sha256: str
    world: WorldName
    seed: int
    learners: tuple[str, ...]
    with_curves: bool
    out: Path

    @property
    def outcomes(self) -> Path:
        """The file of the study's outcomes."""
        return self.out / "outcomes" / f"{self.world}-{self.seed}.jsonl"


def all_learners() -> tuple[str, ...]:
    """Return the names of all learners that the protocol compares, in the order of its tables."""
    return tuple(LEARNERS)


def run_protocol(
    settings: ProtocolSettings,
    out: Path,
    *,
    worlds: Sequence[WorldName] = WORLDS,
    seeds: Sequence[int] = range(10),
    learners: Sequence[str] = (),
    jobs: int = 1,
    print_line: LinePrinter = lambda _line: None,
) -> list[Outcome]:
    """Evaluate the learners, by default all, in every world and seed; return all outcomes.

    Outcomes that `out` already holds for the same configuration are kept, so an interrupted run continues.
    jobs: parallel processes, with one thread each.
    Raises UsageError for a learner or world that doesn't exist. If studies fail, raises the first failure
    after all other studies have ended.
    """
    names = tuple(learners) or all_learners()
    for name in (*names, *worlds):
        if name not in (*all_learners(), *WORLDS):
            raise UsageError(
                f"{name} is neither a learner nor a world of the protocol. Learners: "
                f"{', '.join(all_learners())}; worlds: {', '.join(WORLDS)}."
            )
    frozen = settings.sha256
    todo = [
        Job(settings, frozen, world, seed, names, place < settings.curve_seeds, out)
        for place, seed in enumerate(seeds)
        for world in worlds
    ]
    n_runs = len(todo) * len(names)
    print_line(f"{len(todo)} studies of {len(names)} learners, {jobs} at once; each takes minutes")

    def waiting(seconds: float) -> None:
        evaluated = sum(len(read_outcomes(job.outcomes, frozen)) for job in todo)
        print_line(f"{evaluated} of {n_runs} learners are evaluated ({seconds:.0f} s)")

    failures: list[Exception] = []
    began = time.perf_counter()
    for done, (job, error) in enumerate(run_parallel(run_study, todo, jobs, waiting), start=1):
        if isinstance(error, Exception):
            failures.append(error)
        result = f"failed: {error}" if error else "done"
        seconds = f"{time.perf_counter() - began:.0f} s"
        print_line(f"{job.world} {job.seed}: {result} ({done}/{len(todo)}, {seconds})")
    if failures:
        raise failures[0]
    return [
        outcome for job in todo for outcome in read_outcomes(job.outcomes, frozen) if outcome.learner in names
    ]


def run_study(job: Job) -> None:
    """Train and evaluate the learners of one study that have no outcome yet."""
    known = {outcome.learner for outcome in read_outcomes(job.outcomes, job.config_sha256)}
    missing = [name for name in job.learners if name not in known]
    if not missing:
        return
    study = make_study(replace(job.settings.study, world=job.world, seed=job.seed))
    study.splits.seal(job.out / "splits" / f"{job.world}-{job.seed}.json")
    fits = SharedFits(study.tasks(), job.settings.learning, job.seed)
    before = Refits.before_holdout(fits)
    began = time.process_time()
    pooled = LEARNERS[POOLED].meta_train(fits)
    assert isinstance(pooled, MixedMetaPolicy)
    split = meta_test_split(study, fits.tasks, pooled.model, job.settings.exploration)
    baseline = evaluate_on_split(_as_learned(refitted(pooled, before)), split)
    warm_seconds = time.process_time() - began
    for name in missing:
        began = time.process_time()
        policy = pooled if name == POOLED else LEARNERS[name].meta_train(fits)
        served = refitted(policy, before)
        trained = time.process_time()
        # Recorded before the evaluation: a run that dies in it may have used the split as well.
        append_line(
            job.out / LEDGER,
            SplitUse(job.world, job.seed, name, study.splits.sha256, job.config_sha256),
        )
        values = evaluate_on_split(_as_learned(served), split)
        steps, support = _curves(policy, split, job.settings) if job.with_curves else ({}, {})
        append_line(
            job.outcomes,
            Outcome(
                world=job.world,
                seed=job.seed,
                learner=name,
                config_sha256=job.config_sha256,
                segments=split.segments,
                rounds=[part.holdout.n for part in split.parts],
                logging=split.logging.tolist(),
                oracle=split.oracle.tolist(),
                true=values.true.tolist(),
                before_refit=evaluate_on_split(_as_learned(policy), split).true.tolist(),
                dr=values.dr.tolist(),
                gain_in_errors=gain_in_errors(values, baseline, split).tolist(),
                validation_gain=policy.validation_gain,
                likelihood_gain=_likelihood_gain(policy, pooled, fits),
                lead=policy.lead if isinstance(policy, FittedPolicy) else None,
                asks=name in choose_contenders([policy], pooled, fits).learners,
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
    """Return the gain that orders learners with gradient steps.

    None for a learner that is fitted in one step or predicts no reward.
    """
    if isinstance(policy, FittedPolicy):
        return None
    return next(iter(likelihood_gains([policy], pooled, fits.mixed_start).values()), None)


def _as_learned(policy: MetaPolicy) -> Adapter:
    return lambda unseen: policy.adapt(unseen.support)


def _curves(
    policy: MetaPolicy, split: MetaTestSplit, settings: ProtocolSettings
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the share of the gap by gradient steps, and by rounds of support with "all" last."""
    steps, support = {}, {}
    if policy.adapts:
        for way in ways_to_adapt(policy, settings.support, settings.steps):
            share = split.share(evaluate_on_split(way.adapt, split).true)
            if way.curve == "inner_steps":
                steps[str(way.amount)] = share
            else:
                support["all" if way.amount is None else str(way.amount)] = share
    return steps, support


def _weights(values: SplitValues) -> dict[str, float]:
    weight = values.weight
    error = float(weight.std(ddof=1)) / np.sqrt(len(weight))
    return {
        "ips": float((weight * values.reward).mean()),
        "snips": float((weight * values.reward).sum() / weight.sum()),
        "ess": float(weight.sum() ** 2 / (weight**2).sum()),
        "largest_weight": float(weight.max()),
        "weight_in_errors": (float(weight.mean()) - 1.0) / error if error > 0 else 0.0,
    }
