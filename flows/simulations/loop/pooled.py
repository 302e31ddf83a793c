"""A pooled model, fitted anew every night: what a team does without metacart.

    log-odds of a click = intercept + item + slot + attributes(user)' w

One logistic regression of clicks on all rounds so far, without interactions: who the user is moves all items
alike, so the order of items is the same for everybody. A share of the slates is drawn uniformly, as metacart
does. The propensity of item a in slot l is (1 - share) 1[a is l-th best] + share / items.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from features.simulator.served_slates import ServedSlates
from features.simulator.shop_day import candidate_set_id
from features.simulator.streams import Stream, generator
from features.simulator.world import World
from flows.simulations.loop.logged_clicks import LoggedClicks, logged_clicks

VERSION = "pooled"

_MOST_STEPS = 200


def pooled_slates(world: World, logs: Path, day: int, exploration: float) -> ServedSlates:
    """Return the slates of the next day.

    day: the last one of the logs, counted from 0. exploration: share of slates that are drawn uniformly.
    """
    appeal = item_log_odds(world, logged_clicks(world, logs, day))
    # What was on offer yesterday, as for any other table.
    available = world.open(day).available
    slots, n_users = world.settings.slots, len(world.user_ids)
    best = np.argsort(-np.where(available, appeal, -np.inf), kind="stable")[:slots]
    random = generator(world.settings.seed, Stream.POOLED, day)
    explores = random.random(n_users) < exploration
    lots = np.where(available, random.random((n_users, len(available))), np.inf)
    slate = np.where(explores[:, None], np.argsort(lots, axis=1)[:, :slots], best)
    known = np.arange(n_users) < world.people.active(day)
    return ServedSlates(
        item=np.where(known[:, None], slate, -1),
        propensity=(1.0 - exploration) * (slate == best) + exploration / available.sum(),
        version=np.zeros(n_users, np.int64),
        versions=(VERSION,),
        candidate_set_id=candidate_set_id(world.settings.nights[day]),
    )


def item_log_odds(world: World, logged: LoggedClicks) -> NDArray[np.float64]:
    """Return the part of each item in the log-odds of a click, float64[A]; 0 for an item never shown.

    All are 0 where every round was clicked, or none.
    """
    items = len(world.item_ids)
    if logged.clicked.all() or not logged.clicked.any():
        return np.zeros(items)
    design = sparse.hstack(
        [
            _indicators(logged.item, items),
            _indicators(logged.slot, world.settings.slots),
            sparse.csr_matrix(world.people.context[logged.user].astype(np.float64)),
        ],
        format="csr",
    )
    fitted = LogisticRegression(max_iter=_MOST_STEPS).fit(design, logged.clicked)
    return np.asarray(fitted.coef_[0, :items], dtype=np.float64)


def _indicators(position: NDArray[np.int64], width: int) -> sparse.csr_matrix:
    rows = np.arange(len(position))
    return sparse.csr_matrix((np.ones(len(position)), (rows, position)), shape=(len(position), width))
