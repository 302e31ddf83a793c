"""The next day of a simulated shop: published tables act, and their effects go into the logs."""

from dataclasses import replace
from pathlib import Path

import polars as pl

from features.errors import UsageError
from features.simulator.served_tables import ServedTables
from features.simulator.shop import HAPPENED_AT, KEY_FILE, LATE, SimulatedShop, night_logs, write_csv
from features.simulator.world import WORLD_FILE, World

_PARTIAL = "partial"


def simulate_next_day(out: Path, served: ServedTables, day: int) -> SimulatedShop:
    """Draw one more day of a simulated shop, on which published tables act, and write it into its folder.

    day: the first day that the shop has no logs of, counted from 0; or the last one, which is drawn again.
    Equal tables give equal bytes. The settings are written last: a day that was cut off is drawn again.
    Raises UsageError for any other day, and where the shop has dirty lines.
    """
    world = World.load(out)
    settings = world.settings
    if day not in (settings.days - 1, settings.days):
        raise UsageError(
            f"{out} has logs of {settings.days} days, so day {settings.days} is next (counted from 0), not "
            f"{day}: a table acts on the day after its night."
        )
    if settings.dirt or settings.stray_quote:
        raise UsageError(f"{out} has dirty lines, and a served day has none: simulate it without dirt.")
    late = _late(world, out, day)
    opened = world.open(day)
    frames = night_logs(world, opened, late, served)
    grown = replace(settings, days=day + 1)
    fresh = out / f".users.{_PARTIAL}"
    n_rows = {"users": write_csv(world.people.frame(settings.first_date, grown.days), "users", fresh)}
    fresh.replace(out / "users.csv")
    for log, frame in frames.items():
        fresh = out / log / f".{_PARTIAL}"
        n_rows[log] = write_csv(frame, log, fresh)
        fresh.replace(out / log / f"{opened.date.isoformat()}.csv")
    for log, frame in late.items():
        fresh = out / LATE / f".{_PARTIAL}"
        frame.write_parquet(fresh)
        fresh.replace(_late_file(out, log, day + 1))
    fresh = out / f".{WORLD_FILE}.{_PARTIAL}"
    fresh.write_text(grown.to_json(), encoding="utf-8")
    fresh.replace(out / WORLD_FILE)
    return SimulatedShop(folder=out, world_file=out / WORLD_FILE, key_file=out / KEY_FILE, n_rows=n_rows)


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
