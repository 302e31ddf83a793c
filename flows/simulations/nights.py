"""Nights of whole shops: the true value of learners after everything that a real night does to a log.

A study (`flows/simulations/studies`) has 201 segments and contexts of attributes alone. Here a shop of the
demo's size is simulated, ingested, learned from and evaluated by the stages of the night themselves, with
history and the gate. Only the outcome is computed with the truth.

<out>/nights/<world>-<seed>.json            one night, see `NightOutcome`
<out>/nights/<world>-<seed>-<A>-items.json  the same of a catalog of another size
"""

import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from features.codes import ALL_SEGMENTS, Window
from features.simulator.settings import WorldName, WorldSettings
from features.simulator.shop import simulate
from features.simulator.world import World
from flows.night_folder import Night
from flows.progress import LinePrinter
from flows.settings import LearnerName, Learning, read_settings
from flows.shops import SIMULATED, write_config
from flows.simulations.parallel import run_parallel
from flows.stages.evaluate import evaluate
from flows.stages.ingest import ingest
from flows.stages.learn import learn
from flows.stages.truth import user_ids
from flows.workspace import Workspace
from offline_rl.logged_data import Tasks
from offline_rl.meta.cautious import CAUTIOUS

DOMAIN = "recommendation"

SIZES = (800, 1100, 1500)
"""Numbers of users; shops take them in turn by their seeds."""

PERSONAL_ITEMS = 300
"""Number of items in a shop of the personal world; the other worlds have 30."""


@dataclass(frozen=True)
class NightJob:
    """One night of one shop, and its learners.

    permuted: whether its clicks are assigned at random, as a null.
    items: number of items in its catalog; None for the default of its world.
    """

    world: WorldName
    seed: int
    learners: tuple[LearnerName, ...]
    permuted: bool
    out: Path
    items: int | None = None

    @property
    def path(self) -> Path:
        """The file of its outcome."""
        kind = "nulls" if self.permuted else "nights"
        size = "" if self.items is None else f"-{self.items}-items"
        return self.out / kind / f"{self.world}-{self.seed}{size}.json"


@dataclass(frozen=True)
class NightOutcome:
    """True values of one night, per round of the holdout.

    values: policy → true value if it served every segment.
    logging, oracle: true values of the logging policy, and of the best policy that explores as much and knows
        what a log could show: segment, attributes and day, and in a personal world the user's taste.
    asks: the first contender. plain: the baseline that is the second contender.
    champion: the policy that serves. served: its true value, with the policies of segments kept from it.
    learn_seconds, evaluate_seconds: processor time of learning (all learners, choice and refit) and of
        evaluating.
    """

    world: str
    seed: int
    users: int
    items: int
    rounds: int
    logging: float
    oracle: float
    values: Mapping[str, float]
    asks: str
    plain: str
    champion: str
    verdict: str
    served: float
    learn_seconds: float
    evaluate_seconds: float

    def share(self, value: float) -> float:
        """Return the share of the gap from logging to oracle that a value closes."""
        return (value - self.logging) / (self.oracle - self.logging)


def run_nights(
    out: Path,
    *,
    worlds: Sequence[WorldName],
    seeds: Sequence[int],
    learners: Sequence[LearnerName],
    permuted: bool = False,
    items: int | None = None,
    jobs: int = 1,
    print_line: LinePrinter = lambda _line: None,
) -> list[NightOutcome]:
    """Run the nights that have no outcome in `out` yet; return all outcomes.

    If nights fail, raises the first failure after all other nights have ended.
    """
    todo = [
        NightJob(world, seed, tuple(learners), permuted, out, items) for seed in seeds for world in worlds
    ]
    missing = [job for job in todo if not job.path.is_file()]
    failures: list[BaseException] = []
    if missing:
        print_line(f"{len(missing)} nights, {jobs} at once; each takes minutes")

    def waiting(seconds: float) -> None:
        written = sum(job.path.is_file() for job in missing)
        print_line(f"{written} of {len(missing)} nights are done ({seconds:.0f} s)")

    for done, (job, error) in enumerate(run_parallel(run_shop_night, missing, jobs, waiting), start=1):
        if error is not None:
            failures.append(error)
        result = f"failed: {error}" if error else "done"
        print_line(f"{job.world} {job.seed}: {result} ({done}/{len(missing)})")
    if failures:
        raise failures[0]
    return [read_outcome(job.path) for job in todo]


def read_outcome(path: Path) -> NightOutcome:
    """Read what `run_shop_night` wrote."""
    return NightOutcome(**json.loads(path.read_text(encoding="utf-8")))


def run_shop_night(job: NightJob) -> None:
    """Simulate a shop, run its night up to the gate, and write the true value of every policy."""
    with tempfile.TemporaryDirectory() as folder:
        logs = Path(folder) / "logs"
        simulate(_world_settings(job), logs)
        if job.permuted:
            permute_clicks(logs, job.seed)
        write_config(logs / "metacart.toml", SIMULATED, name="shop", logs=logs, data=Path(folder) / "data")
        settings = read_settings(logs / "metacart.toml")
        settings = settings.model_copy(update={"learning": Learning(learners=job.learners)})
        workspace = Workspace(settings)
        night = replace(ingest(workspace, None), domains=(DOMAIN,))
        seconds = []
        for stage in (learn, evaluate):
            began = time.process_time()
            stage(workspace, night)
            seconds.append(time.process_time() - began)
        outcome = _outcome(workspace, night, job, seconds)
    job.path.parent.mkdir(parents=True, exist_ok=True)
    job.path.write_text(json.dumps(asdict(outcome), indent=1) + "\n", encoding="utf-8")


def _world_settings(job: NightJob) -> WorldSettings:
    is_personal = job.world == "personal"
    usual = PERSONAL_ITEMS if is_personal else WorldSettings.items
    return WorldSettings(
        users=2000 if is_personal else SIZES[job.seed % len(SIZES)],
        items=usual if job.items is None else job.items,
        seed=job.seed,
        world=job.world,
    )


def permute_clicks(logs: Path, seed: int) -> None:
    """Assign each night's clicks to impressions drawn at random: as many as before, and nothing to learn.

    Other events of an impression are removed with its click; browsing and orders stay.
    """
    random = np.random.default_rng(seed)
    for path in sorted((logs / "events").glob("*.csv")):
        events = pl.read_csv(path, infer_schema=False)
        shown = pl.read_csv(logs / "impressions" / path.name, infer_schema=False)
        n_clicks = events.filter(event_type="click").height
        drawn = shown[np.sort(random.choice(shown.height, min(n_clicks, shown.height), replace=False))]
        clicks = drawn.select(
            pl.format("{}-click", "impression_id").alias("event_id"),
            pl.col("shown_at").alias("occurred_at"),
            "user_id",
            "session_id",
            "item_id",
            pl.lit("click").alias("event_type"),
            "impression_id",
        )
        browsing = events.filter(pl.col("impression_id").fill_null("") == "")
        pl.concat([browsing, clicks.select(events.columns)]).write_csv(path)


def _outcome(workspace: Workspace, night: Night, job: NightJob, seconds: Sequence[float]) -> NightOutcome:
    folder = workspace.night_folder(night.run_id)
    tasks, contenders = folder.tasks(DOMAIN), folder.contenders(DOMAIN).wanted
    values = folder.table("out_policy_values").filter(estimator="dr")
    overall = dict(values.filter(segment_id=ALL_SEGMENTS).select("policy", "true_value").iter_rows())
    overall.pop(CAUTIOUS, None)  # not a learner, and not in every night
    verdicts = folder.table("out_verdicts")
    whole = verdicts.filter(segment_id=ALL_SEGMENTS).row(0, named=True)
    rounds = folder.rounds(DOMAIN).filter(window=Window.HOLDOUT)
    sizes = rounds.group_by("segment_id").len()
    share = dict(sizes.with_columns(pl.col("len") / rounds.height).iter_rows())
    by_segment = {(row["segment_id"], row["policy"]): row["true_value"] for row in values.to_dicts()}
    serving = dict(
        verdicts.filter(pl.col("segment_id") != ALL_SEGMENTS).select("segment_id", "champion").iter_rows()
    )
    settings = _world_settings(job)
    return NightOutcome(
        world=job.world,
        seed=job.seed,
        users=settings.users,
        items=settings.items,
        rounds=tasks.rounds.n,
        logging=overall.pop("logging"),
        oracle=_oracle(workspace, tasks, rounds, job.world),
        values=overall,
        asks=contenders[0],
        plain=contenders[-1],
        champion=whole["champion"],
        verdict=whole["verdict"],
        served=sum(
            part * by_segment[segment, serving.get(segment, whole["champion"])]
            for segment, part in share.items()
        ),
        learn_seconds=seconds[0],
        evaluate_seconds=seconds[1],
    )


def _oracle(workspace: Workspace, tasks: Tasks, rounds: pl.DataFrame, world_name: WorldName) -> float:
    """Return the best slates' true value per round, with the night's share of uniform slates."""
    world = World.load(workspace.settings.shop.logs)
    users = world.people.ids.positions(user_ids(workspace, world, rounds["user_key"]))
    items = world.catalog.ids.positions(tasks.action_ids)
    day, slot = world.days(rounds["decided_at"]), rounds["slot"].to_numpy() - 1
    available = tasks.window("holdout").availability().numpy()
    earned = 0.0
    exploration = workspace.settings.learning.exploration
    for rows in np.array_split(np.arange(len(users)), max(1, len(users) * len(items) // (1 << 22))):
        one_user, one_day = users[rows][:, None], day[rows][:, None]
        known = world.click_model.attraction(one_user, items, one_day, with_taste=world_name == "personal")
        true = world.click_model.attraction(one_user, items, one_day)
        true = true * world.click_model.examination[slot[rows]][:, None]
        can = available[rows]
        ranked = np.argsort(-np.where(can, known, -1.0), axis=1, kind="stable")
        best = np.take_along_axis(ranked, slot[rows][:, None], axis=1)
        chosen = np.take_along_axis(true, best, axis=1)[:, 0]
        uniform = (true * can).sum(axis=1) / can.sum(axis=1)
        earned += float(((1 - exploration) * chosen + exploration * uniform).sum())
    return earned / len(users)
