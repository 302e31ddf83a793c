"""Closed loops: nights and days of the demo shop in turn, what each night publishes acting on the next day.

<out>/<world>-<seed>-<way>/logs, data      the shop
<out>/<world>-<seed>-<way>/days.jsonl      one line for each day after a night, see `LoopDay`

An interrupted loop goes on with the day after the last line: a night and a day that were cut off are done
again to the same bytes. A folder belongs to shops of one size: another size is refused.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Literal, get_args

from features.codes import ALL_SEGMENTS
from features.errors import UsageError
from features.simulator.next_day import simulate_next_days
from features.simulator.served_slates import ServedSlates
from features.simulator.served_tables import ServedTables
from features.simulator.settings import WorldName, WorldSettings
from features.simulator.shop import simulate
from features.simulator.world import World
from flows.ledger import append_line, read_records
from flows.progress import LinePrinter
from flows.settings import read_settings
from flows.shops import SIMULATED, write_config
from flows.simulations.loop.loop_day import FIRST_DAYS, LoopDay, Said
from flows.simulations.loop.pooled import pooled_slates
from flows.simulations.loop.thompson import thompson_slates
from flows.simulations.loop.true_values import day_values
from flows.simulations.parallel import run_parallel
from flows.simulations.served_day import served_slates
from flows.stages.night import NightResult, run_night

Way = Literal["metacart", "no_exploration", "pooled", "thompson"]
"""A way to run the shop: metacart's nights, with experiments; the same without exploring and experiments; and
without nights, a pooled model that is fitted anew every day, and Thompson sampling."""

WAYS: tuple[Way, ...] = get_args(Way)

USERS = 600
"""Usual number of users of a shop."""

EXPERIMENT_SHARE = 0.5
"""Share of the users that experiments of metacart's own nights have: as many as what serves tells soonest."""

ADS = ("ad_impressions", "ad_spend_daily")
"""Logs that a loop leaves out: its nights decide recommendations alone."""

DOMAIN = "recommendation"


@dataclass(frozen=True)
class LoopJob:
    """One shop, run in one way for a number of nights."""

    world: WorldName
    seed: int
    way: Way
    nights: int
    out: Path
    users: int = USERS

    @property
    def folder(self) -> Path:
        """The folder of the shop."""
        return self.out / f"{self.world}-{self.seed}-{self.way}"

    @property
    def logs(self) -> Path:
        """The folder of its logs."""
        return self.folder / "logs"

    @property
    def days(self) -> Path:
        """The ledger of its days."""
        return self.folder / "days.jsonl"

    def refuse_another_size(self) -> None:
        """Raise UsageError where the shop's loop has begun with another number of users."""
        if self.days.is_file() and (begun := World.load(self.logs).settings.users) != self.users:
            raise UsageError(
                f"{self.folder} holds the loop of a shop with {begun:,} users, not {self.users:,}. Go on "
                f"with it by --users {begun}, or name another folder for shops of another size by --out."
            )


def run_loops(
    out: Path,
    *,
    worlds: Sequence[WorldName],
    seeds: Sequence[int],
    ways: Sequence[Way],
    nights: int,
    rival_seeds: Sequence[int] | None = None,
    users: int = USERS,
    jobs: int = 1,
    print_line: LinePrinter = lambda _line: None,
) -> list[LoopDay]:
    """Run the loops that have fewer days than nights, and return the days of all.

    rival_seeds: of the other ways than metacart, by default the same.
    Raises UsageError, before anything is run, where a loop in `out` has begun with another number of users.
    If some fail, raises the first failure after all others have ended.
    """
    rivals = seeds if rival_seeds is None else rival_seeds
    todo = [
        LoopJob(world, seed, way, nights, out, users)
        for world in worlds
        for seed in sorted({*seeds, *rivals})
        for way in ways
        if seed in (seeds if way == "metacart" else rivals)
    ]
    for job in todo:
        job.refuse_another_size()
    missing = [job for job in todo if len(read_records(job.days, LoopDay)) < nights]
    failures: list[BaseException] = []

    def waiting(seconds: float) -> None:
        done = sum(len(read_records(job.days, LoopDay)) for job in todo)
        print_line(f"{done} of {nights * len(todo)} nights are done ({seconds:.0f} s)")

    for job, error in run_parallel(run_loop, missing, jobs, waiting):
        failures += [error] if error is not None else []
        print_line(f"{job.folder.name}: {f'failed: {error}' if error else 'done'}")
    if failures:
        raise failures[0]
    return [day for job in todo for day in read_records(job.days, LoopDay)[:nights]]


def run_loop(job: LoopJob) -> None:
    """Go on with a shop's loop until it has the nights that were asked for."""
    logs = job.logs
    if not job.days.is_file():
        shutil.rmtree(job.folder, ignore_errors=True)
        simulate(_world_settings(job), logs)
        write_config(logs / "metacart.toml", SIMULATED, name="shop", logs=logs, data=job.folder / "data")
    done = len(read_records(job.days, LoopDay)) if job.days.is_file() else 0
    for night in range(done + 1, job.nights + 1):
        append_line(job.days, _night_and_day(job, logs, night))


def _world_settings(job: LoopJob) -> WorldSettings:
    settings = WorldSettings(users=job.users, days=FIRST_DAYS, seed=job.seed, world=job.world)
    # A list shows what has sold out since it was made, and nobody clicks that: in a null shop, where no list
    # may be worse than another, nothing sells out.
    return replace(settings, stock_out_share=0.0) if job.world == "null" else settings


def _night_and_day(job: LoopJob, logs: Path, night: int) -> LoopDay:
    for log in ADS:
        for path in (logs / log).glob("*.csv"):
            path.unlink()
    world = World.load(logs)
    last = FIRST_DAYS + night - 2
    as_of = world.settings.first_date.fromordinal(world.settings.first_date.toordinal() + last)
    exploration, said = 0.0, Said()
    if job.way == "thompson":
        slates = thompson_slates(world, logs, last)
    elif job.way == "pooled":
        exploration = read_settings(logs / "metacart.toml").learning.exploration
        slates = pooled_slates(world, logs, last, exploration)
    else:
        slates, exploration, said = _of_night(job, logs, world, as_of)
    simulate_next_days(logs, ServedTables(slates), last + 1)
    values = day_values(World.load(logs), slates, last + 1, exploration)
    return LoopDay(
        job.world,
        job.seed,
        job.way,
        night,
        as_of.isoformat(),
        values.served,
        values.first,
        values.first_explored,
        values.oracle,
        **vars(said),
    )


def _of_night(job: LoopJob, logs: Path, world: World, as_of: date) -> tuple[ServedSlates, float, Said]:
    """Run the night of this date; returns its slates, its share of exploration, and what it said."""
    settings = read_settings(logs / "metacart.toml")
    if job.way == "metacart":
        experiment = settings.experiment.model_copy(update={"share": EXPERIMENT_SHARE})
        settings = settings.model_copy(update={"experiment": experiment})
    if job.way == "no_exploration":
        learning = settings.learning.model_copy(update={"exploration": 0.0})
        settings = settings.model_copy(update={"learning": learning})
    night = run_night(settings, as_of)
    slates = served_slates(world, logs, night.published.folder, as_of)
    return slates, settings.learning.exploration, _said(night)


def _said(night: NightResult) -> Said:
    verdicts = night.published.table("out_verdicts").filter(domain=DOMAIN, segment_id=ALL_SEGMENTS)
    if verdicts.is_empty():
        return Said()
    verdict = verdicts.row(0, named=True)
    served = night.published.table("out_recommendations")["policy_version"].mode().sort()
    values = night.published.table("out_policy_values").filter(
        domain=DOMAIN, segment_id=ALL_SEGMENTS, estimator="dr", policy=verdict["champion"]
    )
    found = values.row(0, named=True) if values.height else {}
    return Said(
        policy_version=served[0] if len(served) else "",
        verdict=verdict["verdict"],
        estimate=found.get("value"),
        lower=found.get("lower"),
        upper=found.get("upper"),
        truth=found.get("true_value"),
        reason_codes=verdict["reason_codes"],
    )
