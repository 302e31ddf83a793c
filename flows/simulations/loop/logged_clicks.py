"""What was shown and clicked so far, for the ways that learn from a shop's raw logs without its nights."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.simulator.world import World


@dataclass(frozen=True, eq=False)
class LoggedClicks:
    """n rounds, each an item in a slot, of all days up to one.

    user, item, slot: int64[n], positions in the world, from 0. clicked: bool[n].
    """

    user: NDArray[np.int64]
    item: NDArray[np.int64]
    slot: NDArray[np.int64]
    clicked: NDArray[np.bool_]


def logged_clicks(world: World, logs: Path, day: int) -> LoggedClicks:
    """Return all rounds of the logs up to a day, counted from 0.

    A loop that was interrupted may have drawn the day after it already: that day is not read.
    """
    shown = _until(world, logs / "impressions", day, ["impression_id", "user_id", "item_id", "slot"])
    events = _until(world, logs / "events", day, ["impression_id", "event_type"])
    clicked = events.filter(event_type="click")["impression_id"].drop_nulls().unique()
    return LoggedClicks(
        user=world.people.ids.positions(shown["user_id"].to_list()),
        item=world.catalog.ids.positions(shown["item_id"].to_list()),
        slot=shown["slot"].to_numpy().astype(np.int64) - 1,
        clicked=shown["impression_id"].is_in(clicked.implode()).to_numpy(),
    )


def _until(world: World, log: Path, day: int, columns: list[str]) -> pl.DataFrame:
    days = world.settings.nights[: day + 1]
    return pl.concat(pl.read_csv(log / f"{one.isoformat()}.csv", columns=columns) for one in days)
