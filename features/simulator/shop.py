"""Nights of logs of a simulated shop, on disk: one CSV file per log and night."""

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from features.contracts.logs import LOGS
from features.errors import UsageError
from features.simulator.ad_logs import simulate_ad_night
from features.simulator.dirt import DIRT_FILE, Dirt
from features.simulator.logs import simulate_shop_night
from features.simulator.served_tables import ServedTables
from features.simulator.settings import WorldSettings
from features.simulator.shop_day import ShopDay
from features.simulator.world import WORLD_FILE, World

NIGHTLY_LOGS = (
    "candidate_sets",
    "impressions",
    "events",
    "purchases",
    "ad_impressions",
    "ad_spend_daily",
)
"""Logs with a file for each night, `<log>/<YYYY-MM-DD>.csv`."""

WHOLE_LOGS = ("items", "users")
"""Logs with one file for all nights, `<log>.csv`."""

LATE = "late"
"""Folder of what happens after midnight of a served day: part of the next day's logs (`next_day`)."""

KEY_FILE = "pseudonym.key"

CONFIG_FILE = "metacart.toml"
"""File that may be in the folder of the logs; it belongs to the reader, so a new shop does not change it."""

HAPPENED_AT = {"events": "occurred_at", "purchases": "ordered_at"}
"""Log whose rows may be of the day after the visit → the time of a row."""

# Without its candidate set a round would have the wrong alternatives, and no quarantine would notice.
_ALWAYS_CLEAN = ("candidate_sets",)
_STRAY_QUOTE_LOG = "events"
_OWN = ServedTables()
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class SimulatedShop:
    """The folder of a simulated shop, and its numbers of rows.

    n_rows: log → data lines over all its files, dirt included.
    """

    folder: Path
    world_file: Path
    key_file: Path
    n_rows: Mapping[str, int]

    def __str__(self) -> str:
        return ", ".join(f"{rows:,} {log}" for log, rows in self.n_rows.items())


def simulate(settings: WorldSettings, out: Path) -> SimulatedShop:
    """Write the logs of a simulated shop into the folder `out`, replacing an older simulated shop there.

    Equal settings give equal bytes; more days add files and users at the end of `users.csv`, and don't change
    the rest. Events after midnight of the last day are not in the logs yet. With dirt in the settings,
    `dirt.json` records it. The shop is written next to `out` and renamed at the end, so that a failure does
    not damage the old one. Raises UsageError when `out` holds anything but a simulated shop and its
    configuration.
    """
    _refuse_foreign(out)
    world = World.create(settings)
    partial = out.with_name(f".{out.name}.partial-{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        n_rows = _write_logs(world, partial)
        (partial / WORLD_FILE).write_text(settings.to_json(), encoding="utf-8")
        _write_key(settings.seed, partial / KEY_FILE)
        if (out / CONFIG_FILE).is_file():
            shutil.copy2(out / CONFIG_FILE, partial / CONFIG_FILE)
        _replace(partial, out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return SimulatedShop(folder=out, world_file=out / WORLD_FILE, key_file=out / KEY_FILE, n_rows=n_rows)


def _refuse_foreign(out: Path) -> None:
    """Refuse to replace anything except a simulated shop."""
    if not out.exists() and not out.is_symlink():
        return
    known = {*NIGHTLY_LOGS, *(f"{log}.csv" for log in WHOLE_LOGS), WORLD_FILE, KEY_FILE}
    known |= {CONFIG_FILE, DIRT_FILE, LATE}
    if not out.is_dir() or out.is_symlink():
        raise UsageError(f"{out} is not a folder. Choose a new folder for the simulated shop.")
    names = {path.name for path in out.iterdir()}
    foreign = sorted(names - known)
    if names and (foreign or WORLD_FILE not in names):
        found = f"it holds {foreign[0]}" if foreign else f"it has no {WORLD_FILE}"
        raise UsageError(
            f"{out} is not only a simulated shop ({found}) and would be lost. "
            f"Choose a new folder, or move it away first."
        )


def _write_logs(world: World, folder: Path) -> dict[str, int]:
    for log in NIGHTLY_LOGS:
        (folder / log).mkdir()
    settings = world.settings
    n_rows = {
        "items": write_csv(world.catalog.frame(), "items", folder / "items.csv"),
        "users": write_csv(
            world.people.frame(settings.first_date, settings.days), "users", folder / "users.csv"
        ),
    } | dict.fromkeys(NIGHTLY_LOGS, 0)
    dirt = (
        Dirt(settings.seed, settings.dirt, _STRAY_QUOTE_LOG if settings.stray_quote else None)
        if settings.dirt or settings.stray_quote
        else None
    )
    late: dict[str, pl.DataFrame] = {}
    for number in range(settings.days):
        day = world.open(number)
        for log, frame in night_logs(world, day, late).items():
            path = folder / log / f"{day.date.isoformat()}.csv"
            if dirt is None or log in _ALWAYS_CLEAN:
                n_rows[log] += write_csv(frame, log, path)
            else:
                n_rows[log] += _write_dirty(frame, log, path, dirt, number)
    if dirt is not None:
        (folder / DIRT_FILE).write_text(dirt.to_json(), encoding="utf-8")
    return n_rows


def night_logs(
    world: World, day: ShopDay, late: dict[str, pl.DataFrame], served: ServedTables = _OWN
) -> dict[str, pl.DataFrame]:
    """Return the logs of one night; events after midnight go to `late`, for the next night."""
    visits = simulate_shop_night(world, day, served.slates)
    seed = world.settings.seed
    frames = {
        "candidate_sets": visits.candidate_sets,
        "impressions": visits.impressions,
        "events": visits.events,
        "purchases": visits.purchases,
        "ad_impressions": simulate_ad_night(world, day, served.creatives),
        "ad_spend_daily": world.spend_response.feed(seed, day.number, day.date, served.spend_cents),
    }
    for log, happened_at in HAPPENED_AT.items():
        arrived = pl.concat([late[log], frames[log]]) if log in late else frames[log]
        is_late = pl.col(happened_at).dt.date() > day.date
        late[log] = arrived.filter(is_late)
        frames[log] = arrived.filter(~is_late).sort(happened_at, maintain_order=True)
    return frames


def simulated_columns(log: str) -> list[str]:
    """Return the columns of a simulated log: the contract's, without the night of a published list.

    The simulated shop serves its own policies, and none of the lists that a night has published.
    """
    return [name for name in LOGS[log].column_names() if (log, name) != ("impressions", "run_id")]


def write_csv(frame: pl.DataFrame, log: str, path: Path) -> int:
    """Write the contract's columns, in its order."""
    frame.select(simulated_columns(log)).write_csv(path, datetime_format=_TIME_FORMAT, line_terminator="\n")
    return len(frame)


def _write_dirty(frame: pl.DataFrame, log: str, path: Path, dirt: Dirt, day: int) -> int:
    """Write the contract's columns with dirt among the lines; return the number of lines."""
    text = frame.select(simulated_columns(log)).write_csv(datetime_format=_TIME_FORMAT, line_terminator="\n")
    header, *lines = text.splitlines()
    dirty = dirt.plant(log, day, header, lines, name=f"{log}/{path.name}")
    path.write_text("\n".join([header, *dirty]) + "\n", encoding="utf-8", newline="\n")
    return len(dirty)


def _write_key(seed: int, path: Path) -> None:
    """Write the pseudonym key, 32 bytes as hex, readable by the owner alone.

    These people are simulated, so a key made from the seed is right: the same logs give the same pseudonyms
    everywhere. A real shop's key is random and secret.
    """
    key = hashlib.sha256(f"metacart simulated shop, seed {seed}".encode()).hexdigest()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(key + "\n")


def _replace(new: Path, out: Path) -> None:
    """Replace `out` by `new`. Only between its two renames is `out` not complete."""
    if not out.exists():
        new.rename(out)
        return
    old = out.with_name(f".{out.name}.replaced-{os.getpid()}")
    out.rename(old)
    try:
        new.rename(out)
    except OSError:
        old.rename(out)
        raise
    shutil.rmtree(old)
