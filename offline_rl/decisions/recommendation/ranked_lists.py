"""Tomorrow's lists where nothing that was shown is logged: a ranker's list, now and then a random one.

A random list is drawn uniformly from the user's pool, the ranker's first items. So every item of the pool has
at least epsilon / pool in every place, and a log of what was shown has the propensity of each item:

    P(item in place) = (1 - epsilon) [the ranker puts it there] + epsilon / pool
    P(list)          = (1 - epsilon) [it is the ranker's list]  + epsilon (pool - places)! / pool!

A pool, and not the catalog: of a hundred thousand items nearly all are of no use to a given user.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import dataframely as dy
import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import gammaln

from features.contracts import columns
from features.contracts.findings import Finding, Say
from features.contracts.policy_versions import version_of
from features.contracts.recommendation import Recommendations, SegmentDistributions
from offline_rl.decisions.recommendation.keyed_uniforms import keyed_uniforms
from offline_rl.decisions.recommendation.ranker_choice import recipe_of
from offline_rl.decisions.recommendation.shop_acts import ShopActs
from offline_rl.interactions import Bools, Ints
from offline_rl.item_to_item.recipes import BASELINE, RIVALS
from offline_rl.ranking.top_items import TopItems

SURFACE, SEGMENT = "all", "all"
"""Logs without impressions know no surfaces, and one ranker serves every segment."""

_USERS_AT_ONCE = 20_000


@dataclass(frozen=True)
class Lists:
    """What the rows say beside the draw. names: item → what people call it.

    epsilon: share of random lists. places: of a list. pool: items that a random list is drawn from.
    """

    ranker: str
    epsilon: float
    names: dict[str, str | None]
    say: Say
    run_id: str
    as_of: date
    seed: int
    places: int
    pool: int


def ranked_lists(acts: ShopActs, lists: Lists) -> pl.DataFrame:
    """Return a list for every user with acts, as rows of `Recommendations` of the level `unproven`.

    The draw of a user is a function of seed, night and user alone. Places beyond the pool stay empty.
    """
    ranker = recipe_of(lists.ranker).fit(acts.interactions, _end_of(lists.as_of))
    popular = _popular(acts, lists)
    users = acts.users
    blocks = []
    for start in range(0, len(users), _USERS_AT_ONCE):
        block = users[start : start + _USERS_AT_ONCE]
        top = _filled(ranker.top(block, lists.pool, acts.is_shown), popular)
        blocks.append(_rows(block, top.item, top.score, acts, lists))
    return pl.concat([Recommendations.create_empty(), *blocks])


def list_of_everybody(acts: ShopActs, lists: Lists) -> pl.DataFrame:
    """Return what any visitor is shown where logs know no users, as rows of `SegmentDistributions`.

    It is one list for all, since a visitor of tomorrow has no history yet; it has no row where no item can be
    shown.
    """
    ranker = recipe_of(lists.ranker).fit(acts.interactions, _end_of(lists.as_of))
    first = ranker.top(np.zeros(1, dtype=np.int64), lists.pool, acts.is_shown)
    top = _filled(first, _popular(acts, lists))
    if not (top.item >= 0).any():
        return SegmentDistributions.create_empty()
    pool, score = top.item[0][top.item[0] >= 0], top.score[0][top.item[0] >= 0]
    place, at = np.divmod(np.arange(min(lists.places, len(pool)) * len(pool)), len(pool))
    frame = pl.DataFrame(
        {
            "slot_rank": place + 1,
            "item_id": pl.Series([acts.item_ids[int(item)] for item in pool], dtype=pl.String).gather(at),
            "probability": (1.0 - lists.epsilon) * (place == at) + lists.epsilon / len(pool),
            "score": score[at],
        }
    ).with_columns(
        reason_code=pl.lit("popular_items"),
        reason_text=pl.lit(lists.say([Finding("popular_items", lists.ranker)])),
        policy_version=pl.lit(version_of(lists.ranker, lists.run_id)),
        fallback_level=pl.lit("popular"),
    )
    return SegmentDistributions.validate(_named(frame, lists, SegmentDistributions), cast=True)


def _popular(acts: ShopActs, lists: Lists) -> TopItems:
    """Return the first items of popularity, [1, pool]: what fills up lists that end too soon."""
    ranker = BASELINE.fit(acts.interactions, _end_of(lists.as_of))
    return ranker.top(np.zeros(1, dtype=np.int64), lists.pool, acts.is_shown)


def _filled(top: TopItems, popular: TopItems) -> TopItems:
    """Fill places without an item with popular ones that the list does not have, at a score of 0.

    A best-seller list of 30 days is empty after 30 days without an act, and a ranking of new items has none
    for a user who had them all: nobody is to be left without a list.
    """
    items, scores = top.item.copy(), top.score.copy()
    known = popular.item[0][popular.item[0] >= 0]
    for row in np.flatnonzero((items < 0).any(1)).tolist():
        free = np.flatnonzero(items[row] < 0)
        others = known[~np.isin(known, items[row])][: len(free)]
        items[row, free[: len(others)]] = others
        scores[row, free] = 0.0
    return TopItems(items, scores)


def _end_of(day: date) -> int:
    """Return the end of a day, microseconds since 1970-01-01 UTC: the night knows all acts before it."""
    end = datetime.combine(day + timedelta(days=1), datetime.min.time(), UTC)
    return int(end.timestamp()) * 1_000_000


def _rows(users: Ints, pool: Ints, score: NDArray[np.float64], acts: ShopActs, lists: Lists) -> pl.DataFrame:
    keys = [str(acts.user_keys[user]) for user in users]
    explores, place_in_pool = _drawn(keys, (pool >= 0).sum(1), lists)
    row, place = np.nonzero(place_in_pool >= 0)
    at = place_in_pool[row, place]
    n_pool = (pool >= 0).sum(1)[row]
    n_places = np.minimum(n_pool, lists.places)
    item = np.asarray(acts.item_ids, dtype=object)[pool[row, at]]
    is_rankers = at == place
    whole = ((place_in_pool == np.arange(lists.places)) | (place_in_pool < 0)).all(1)
    # The number of ordered lists of a pool, as a log: pool! / (pool - places)!.
    log_lists = gammaln(n_pool + 1.0) - gammaln(n_pool - n_places + 1.0)
    slate = (1.0 - lists.epsilon) * whole[row] + lists.epsilon * np.exp(-log_lists)
    frame = pl.DataFrame(
        {
            "user_key": pl.Series(keys, dtype=pl.String).gather(row),
            "slot_rank": place + 1,
            "item_id": pl.Series(item.tolist(), dtype=pl.String),
            "score": score[row, at],
            "propensity": np.minimum((1.0 - lists.epsilon) * is_rankers + lists.epsilon / n_pool, 1.0),
            "slate_log_probability": np.minimum(np.log(slate), 0.0),
            "is_exploration": explores[row],
            **_reasons(explores[row], lists),
        }
    ).with_columns(
        rule_ids=pl.lit(""),
        arm=pl.lit(None, columns.arm.dtype),
        arm_probability=pl.lit(None, pl.Float64),
        fallback_level=pl.lit("popular" if _is_plain(lists.ranker) else "pooled"),
        policy_version=pl.lit(version_of(lists.ranker, lists.run_id)),
    )
    return Recommendations.validate(_named(frame, lists, Recommendations), cast=True)


def _named(rows: pl.DataFrame, lists: Lists, contract: type[dy.Schema]) -> pl.DataFrame:
    """Add what all rows have in common, and what people call the items."""
    names = pl.DataFrame({"item_id": list(lists.names), "item_name": list(lists.names.values())})
    known = names.cast(pl.String)
    return (
        rows.join(known, on="item_id", how="left", maintain_order="left")
        .with_columns(
            run_id=pl.lit(lists.run_id),
            as_of=pl.lit(lists.as_of),
            segment_id=pl.lit(SEGMENT),
            surface=pl.lit(SURFACE),
            score_lower=pl.lit(None, dtype=pl.Float64),
            score_upper=pl.lit(None, dtype=pl.Float64),
            evidence_level=pl.lit("unproven"),
        )
        .select(contract.column_names())
    )


def _drawn(keys: Sequence[str], n_pool: Ints, lists: Lists) -> tuple[Bools, Ints]:
    """Return who explores, bool [n], and the place in the pool of each place of the list, [n, places]."""
    salt = f"{lists.seed}/{lists.as_of.isoformat()}/list"
    explores = keyed_uniforms(keys, 1, salt=salt)[:, 0] < lists.epsilon
    chosen = np.tile(np.arange(lists.places), (len(keys), 1))
    for user in np.flatnonzero(explores).tolist():
        chosen[user] = list(_shuffled(keys[user], int(n_pool[user]), lists.places, salt))
    chosen[chosen >= n_pool[:, None]] = -1
    return explores, chosen


def _shuffled(key: str, n_pool: int, places: int, salt: str) -> Iterator[int]:
    """Yield that many places of a pool without repeats, and n_pool after its end: a Fisher-Yates shuffle."""
    left = list(range(n_pool))
    for place in range(places):
        if left:
            [[uniform]] = keyed_uniforms([key], 1, salt=f"{salt}/{place}").tolist()
            yield left.pop(int(uniform * len(left)))
        else:
            yield n_pool


def _is_plain(ranker: str) -> bool:
    return ranker in {rival.name for rival in RIVALS}


def _reasons(explores: Bools, lists: Lists) -> dict[str, pl.Series]:
    codes = ["popular_items" if _is_plain(lists.ranker) else "similar_items", "explored_pool"]
    texts = [lists.say([Finding(code, lists.ranker)]) for code in codes]
    which = explores.astype(np.int64)
    return {
        "reason_code": pl.Series(codes).gather(which),
        "reason_text": pl.Series(texts).gather(which),
    }
