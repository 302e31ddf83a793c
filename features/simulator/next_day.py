"""The next days of a simulated shop: published tables act, and their effects go into the logs."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from features.errors import UsageError
from features.simulator.served_tables import ServedTables
from features.simulator.shop import HAPPENED_AT, LATE, night_logs, write_csv
from features.simulator.world import WORLD_FILE, World

_PARTIAL = "partial"


@dataclass(frozen=True)
class NextDays:
    """Days that were drawn into the logs of a simulated shop.

    n_rows: log → data lines of these days. n_users: people in users.csv, which is one file for all days.
    """

    folder: Path
    first: date
    last: date
    n_rows: Mapping[str, int]
    n_users: int

    def __str__(self) -> str:
        days = f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"
        logs = ", ".join(f"{rows:,} {log}" for log, rows in self.n_rows.items())
        return (
            f"{self.folder} now has the logs of {days}: {logs}. Its users.csv has {self.n_users:,} users, "
            "those of all days."
        )


def simulate_next_days(out: Path, served: ServedTables, first: int, n_days: int = 1) -> NextDays:
    """Draw the next days of a simulated shop, on which published tables act, and write them into its folder.

    first: the first day that the shop has no logs of, counted from 0. Days that it has already are drawn
    again, as long as they are its last ones: equal tables give equal bytes. n_days: on how many days in turn
    the same tables act, as in a shop that goes on with its lists because no later night came. The settings
    are written after each day: a day that was cut off is drawn again.
    Raises UsageError for fewer than one day, for days that leave a gap or keep later ones, and where the shop
    has dirty lines.
    """
    if n_days < 1:
        raise UsageError(f"Published tables act on 1 day or more, not {n_days}. Set days to 1 or more.")
    world = World.load(out)
    settings = world.settings
    _refuse_other_days(out, settings.days, first, n_days)
    if settings.dirt or settings.stray_quote:
        raise UsageError(f"{out} has dirty lines, and a served day has none: simulate it without dirt.")
    # The files of days that are drawn again lie there meanwhile, so their people stay in users.csv.
    known_days = settings.days
    n_rows: Counter[str] = Counter()
    n_users = 0
    for day in range(first, first + n_days):
        known_days = max(known_days, day + 1)
        of_day, n_users = _draw_day(world, out, served, day, known_days)
        n_rows.update(of_day)
    starts_on = settings.first_date + timedelta(days=first)
    ends_on = starts_on + timedelta(days=n_days - 1)
    return NextDays(out, starts_on, ends_on, dict(n_rows), n_users)


def _refuse_other_days(out: Path, n_known: int, first: int, n_days: int) -> None:
    """Refuse days after a gap, and days before others that would stay."""
    if not 0 <= first <= n_known:
        raise UsageError(
            f"{out} has logs of {n_known} days, so day {n_known} is next (counted from 0), not {first}: a "
            "table acts on the day after its night."
        )
    if first + n_days < n_known:
        raise UsageError(
            f"{out} has logs of {n_known} days, so day {n_known} is next (counted from 0), not {first}. "
            f"Serve the tables of the newest night; or set days to {n_known - first} or more, which draws "
            f"all days from {first} on again, by these tables."
        )


def _draw_day(
    world: World, out: Path, served: ServedTables, day: int, known_days: int
) -> tuple[dict[str, int], int]:
    """Write one day of logs; returns log → data lines, and the number of users in users.csv."""
    opened = world.open(day)
    late = _late(world, out, day)
    frames = night_logs(world, opened, late, served)
    fresh = out / f".users.{_PARTIAL}"
    n_users = write_csv(world.people.frame(world.settings.first_date, known_days), "users", fresh)
    fresh.replace(out / "users.csv")
    n_rows: dict[str, int] = {}
    for log, frame in frames.items():
        fresh = out / log / f".{_PARTIAL}"
        n_rows[log] = write_csv(frame, log, fresh)
        fresh.replace(out / log / f"{opened.date.isoformat()}.csv")
    for log, frame in late.items():
        fresh = out / LATE / f".{_PARTIAL}"
        frame.write_parquet(fresh)
        fresh.replace(_late_file(out, log, day + 1))
    fresh = out / f".{WORLD_FILE}.{_PARTIAL}"
    fresh.write_text(replace(world.settings, days=known_days).to_json(), encoding="utf-8")
    fresh.replace(out / WORLD_FILE)
    return n_rows, n_users


def _late(world: World, out: Path, day: int) -> dict[str, pl.DataFrame]:
    """Return the events and orders of the day before that happen on this day.

    The first served day follows a night of the shop's own policies, which is drawn again.
    """
    (out / LATE).mkdir(exist_ok=True)
    kept = {log: _late_file(out, log, day) for log in HAPPENED_AT}
    if all(path.is_file() for path in kept.values()):
        return {log: pl.read_parquet(path) for log, path in kept.items()}
    late: dict[str, pl.DataFrame] = {}
    if day > 0:
        night_logs(world, world.open(day - 1), late)
    return late


def _late_file(out: Path, log: str, day: int) -> Path:
    return out / LATE / f"{log}-{day}.parquet"
