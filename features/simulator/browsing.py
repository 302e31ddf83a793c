"""Page views without an impression, where taste is personal: the history that shows the taste.

A session is a few pages within ten minutes. Some visits begin with a session, before the home page shows its
slots; other sessions are between visits, and nothing is shown in them. So every such page of a visit was
opened strictly before its impressions, and can't be a consequence of them. A session ends at midnight.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.simulator.moments import DAY_SECONDS, draw_seconds, numbered, times
from features.simulator.parts import parts
from features.simulator.personal_taste import PersonalTaste
from features.simulator.shop_day import ShopDay
from features.simulator.streams import Stream, generator
from features.simulator.world import World

_BEGINS_WITH_PAGES = 0.2  # share of the visits
_SESSIONS_PER_VISIT = 0.15  # sessions without a visit, for each visit of the same user
_MORE_PAGES = 2.0  # mean number of pages after a session's first
_SESSION_SECONDS = 600


def browsed_pages(
    world: World,
    taste: PersonalTaste,
    day: ShopDay,
    *,
    visitor: NDArray[np.int64],
    second: NDArray[np.int64],
) -> pl.DataFrame:
    """Return the views of one day without an impression, in contract columns.

    visitor, second: int64[n], position of the user and second of the day of each visit, in its order.
    The page of a sold-out item can still be viewed, that of an item before its launch can't.
    """
    random = generator(world.settings.seed, Stream.BROWSING, day.number)
    visit = np.flatnonzero(random.random(len(visitor)) < _BEGINS_WITH_PAGES)
    alone = np.repeat(np.arange(len(day.visit_rate)), random.poisson(_SESSIONS_PER_VISIT * day.visit_rate))
    alone = random.permutation(alone)
    sessions = pl.concat([numbered(day.date, "v", visit), numbered(day.date, "b", np.arange(len(alone)))])
    user = np.concatenate([visitor[visit], alone])
    begins = np.concatenate([second[visit] - _SESSION_SECONDS, draw_seconds(len(alone), random)])
    session = np.repeat(np.arange(len(user)), 1 + random.poisson(_MORE_PAGES, len(user)))
    opened = begins[session] + random.integers(0, _SESSION_SECONDS, len(session))
    launched = np.flatnonzero(world.catalog.launch_day <= day.number)
    item = _drawn_pages(taste, user[session], launched, random)
    today = (opened >= 0) & (opened < DAY_SECONDS)
    in_order = np.flatnonzero(today)[np.argsort(opened[today], kind="stable")]
    return pl.DataFrame(
        {
            "event_id": numbered(day.date, "o", np.arange(len(in_order))),
            "occurred_at": times(day.date, opened[in_order]),
            "user_id": world.people.ids.at(user[session[in_order]]),
            "session_id": sessions.gather(session[in_order]),
            "item_id": world.catalog.ids.at(item[in_order]),
            "event_type": pl.repeat("view", len(in_order), eager=True),
            "impression_id": pl.repeat(None, len(in_order), dtype=pl.String, eager=True),
        }
    )


def _drawn_pages(
    taste: PersonalTaste,
    user: NDArray[np.int64],
    launched: NDArray[np.int64],
    random: np.random.Generator,
) -> NDArray[np.int64]:
    """Draw the page that each of these users opens next, int64[n], among the launched items, int64[m]."""
    chance = random.random(len(user))
    item = np.empty(len(user), dtype=np.int64)
    for some in parts(len(user), len(launched)):
        reach = np.cumsum(taste.browsing_weights(user[some], launched), axis=1)
        item[some] = launched[(reach < chance[some, None] * reach[:, -1:]).sum(axis=1)]
    return item
