"""Thompson sampling by segment and item: what a team builds in an afternoon, instead of nights.

A Beta posterior of the click rate of each item in each segment, from all rounds so far; every user of a day
gets the items in the order of one draw. Source: Thompson 1933; for ads Chapelle & Li 2011.
"""

from pathlib import Path

import numpy as np
import polars as pl

from features.simulator.served_slates import ServedSlates
from features.simulator.shop_day import candidate_set_id
from features.simulator.streams import Stream, generator
from features.simulator.world import World

VERSION = "thompson"


def thompson_slates(world: World, logs: Path, day: int) -> ServedSlates:
    """Return the slates of the next day; day: the last one of the logs, counted from 0."""
    shown = _until(world, logs / "impressions", day, ["impression_id", "user_id", "item_id"])
    events = _until(world, logs / "events", day, ["impression_id", "event_type"])
    clicked = events.filter(event_type="click")["impression_id"].drop_nulls().unique()
    segment = world.people.segment[world.people.ids.positions(shown["user_id"].to_list())]
    item = world.catalog.ids.positions(shown["item_id"].to_list())
    is_clicked = shown["impression_id"].is_in(clicked.implode()).to_numpy()
    shape = len(world.people.segments), len(world.item_ids)
    clicks, rounds = np.zeros(shape), np.zeros(shape)
    np.add.at(rounds, (segment, item), 1.0)
    np.add.at(clicks, (segment, item), is_clicked.astype(float))
    random = generator(world.settings.seed, Stream.THOMPSON, day)
    users = np.arange(len(world.user_ids))
    of_user = world.people.segment[users]
    drawn = random.beta(1.0 + clicks[of_user], 1.0 + (rounds - clicks)[of_user])
    # What was on offer yesterday, as for any other table.
    ranked = np.argsort(-np.where(world.open(day).available, drawn, -1.0), axis=1, kind="stable")
    slate = ranked[:, : world.settings.slots]
    known = users < world.people.active(day)
    return ServedSlates(
        item=np.where(known[:, None], slate, -1),
        propensity=np.ones(slate.shape),
        version=np.zeros(len(users), np.int64),
        versions=(VERSION,),
        candidate_set_id=candidate_set_id(world.settings.nights[day]),
    )


def _until(world: World, log: Path, day: int, columns: list[str]) -> pl.DataFrame:
    """Read a log up to a day: a loop that was interrupted may have drawn the next one already."""
    days = world.settings.nights[: day + 1]
    return pl.concat(pl.read_csv(log / f"{one.isoformat()}.csv", columns=columns) for one in days)
