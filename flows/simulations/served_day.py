"""Served days: those after a night of the simulated shop, with the night's published tables acting.

Lists of recommendations, creatives and budgets act. A table that the night did not publish leaves its part of
each day to the shop's own systems.
"""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from features.deidentify import pseudonym, read_key
from features.errors import UsageError
from features.simulator.next_day import NextDays, simulate_next_days
from features.simulator.served_slates import ServedSlates
from features.simulator.served_tables import ServedTables
from features.simulator.shop import KEY_FILE
from features.simulator.shop_day import SURFACE, candidate_set_id
from features.simulator.world import World
from flows.json_files import read_json
from flows.published_nights import MANIFEST
from flows.simulations.served_advertising import served_creatives, served_spend

SLATES = "out_recommendations"


def draw_served_days(logs: Path, run_folder: Path, n_days: int = 1) -> NextDays:
    """Draw the days after a published night into the logs of its simulated shop, its tables acting on each.

    Raises UsageError where the folder holds no published night, and for days that can't be drawn now.
    """
    if not (run_folder / MANIFEST).is_file():
        raise UsageError(f"{run_folder} holds no published night: name a folder below data/published/SHOP.")
    world = World.load(logs)
    as_of = date.fromisoformat(read_json(run_folder / MANIFEST)["as_of"])
    served = ServedTables(
        served_slates(world, logs, run_folder, as_of),
        served_creatives(world, run_folder),
        served_spend(world, run_folder),
    )
    return simulate_next_days(logs, served, (as_of - world.settings.first_date).days + 1, n_days)


def served_slates(world: World, logs: Path, run_folder: Path, as_of: date) -> ServedSlates:
    """Return what the published lists of a night show to each user; nobody where it has none.

    Raises UsageError where a list names nobody of the shop, or has fewer places than the shop has slots.
    """
    slots = world.settings.slots
    shape = (len(world.user_ids), slots)
    item, propensity = np.full(shape, -1, np.int64), np.ones(shape)
    version = np.zeros(shape[0], np.int64)
    path = run_folder / f"{SLATES}.parquet"
    if not path.is_file():
        return ServedSlates(item, propensity, version, ("",), candidate_set_id(as_of))
    rows = pl.read_parquet(path).filter(pl.col("surface") == SURFACE, pl.col("slot_rank") <= slots)
    key = read_key(logs / KEY_FILE)
    users = pl.DataFrame(
        {
            "user_key": [pseudonym(key, user_id) for user_id in world.user_ids],
            "user": np.arange(len(world.user_ids)),
        }
    )
    rows = rows.join(users, on="user_key", how="left", maintain_order="left")
    whole = rows.group_by("user_key").len().filter(pl.col("len") != slots)
    if not whole.is_empty() or rows["user"].null_count():
        raise UsageError(
            f"{path} has a list of other than {slots} places, or of a user that {logs} does not know: it is "
            "not a table of this shop."
        )
    versions = tuple(rows["policy_version"].unique().sort()) or ("",)
    cell = rows["user"].to_numpy(), rows["slot_rank"].to_numpy() - 1
    item[cell] = world.catalog.ids.positions(rows["item_id"].to_list())
    propensity[cell] = rows["propensity"].to_numpy()
    places = {name: place for place, name in enumerate(versions)}
    version[cell[0]] = [places[name] for name in rows["policy_version"]]
    return ServedSlates(item, propensity, version, versions, candidate_set_id(as_of))
