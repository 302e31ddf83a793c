"""Thompson sampling by segment and item: what a team builds in an afternoon, instead of nights.

A Beta posterior of the click rate of each item in each segment, from all rounds so far; every user of a day
gets the items in the order of one draw. Source: Thompson 1933; for ads Chapelle & Li 2011.
"""

from pathlib import Path

import numpy as np

from features.simulator.served_slates import ServedSlates
from features.simulator.shop_day import candidate_set_id
from features.simulator.streams import Stream, generator
from features.simulator.world import World
from flows.simulations.loop.logged_clicks import logged_clicks

VERSION = "thompson"


def thompson_slates(world: World, logs: Path, day: int) -> ServedSlates:
    """Return the slates of the next day; day: the last one of the logs, counted from 0."""
    logged = logged_clicks(world, logs, day)
    cell = world.people.segment[logged.user], logged.item
    shape = len(world.people.segments), len(world.item_ids)
    clicks, rounds = np.zeros(shape), np.zeros(shape)
    np.add.at(rounds, cell, 1.0)
    np.add.at(clicks, cell, logged.clicked.astype(float))
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
