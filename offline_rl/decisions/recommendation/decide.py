"""Decide what to recommend: a slate for every user, or by segment where logs know no users."""

from collections.abc import Mapping

import polars as pl

from offline_rl.decisions.candidate import tomorrow_of_candidate
from offline_rl.decisions.night import DecisionNight
from offline_rl.decisions.recommendation.arms import in_arms
from offline_rl.decisions.recommendation.ranked_lists import Lists, list_of_everybody, ranked_lists
from offline_rl.decisions.recommendation.segment_distributions import segment_distributions
from offline_rl.decisions.recommendation.shop_acts import COLUMNS, ShopActs
from offline_rl.decisions.recommendation.slates import Serving, recommend
from offline_rl.decisions.tomorrow import Tomorrow, tomorrow_of

SLATES = "out_recommendations"


def decide(night: DecisionNight) -> Mapping[str, pl.DataFrame]:
    """Return out_recommendations, or out_segment_distributions where logs know no users."""
    tables = _ranked(night) if night.is_unproven else _served(night)
    if night.experiment is None or SLATES not in tables:
        return tables
    candidates = _slates(tomorrow_of_candidate(night, night.experiment), night)
    return {**tables, SLATES: in_arms(tables[SLATES], candidates, night.experiment)}


def _served(night: DecisionNight) -> Mapping[str, pl.DataFrame]:
    """Return the tables of the policy that serves."""
    has_users = night.folder.names(night.area).has_users
    tomorrow = tomorrow_of(night, draws_lists=has_users)
    if has_users:
        return {SLATES: _slates(tomorrow, night)}
    whom = tomorrow.targets.rows.select("segment_id", "surface")
    shares = segment_distributions(
        whom, tomorrow.chances, _serving(tomorrow, night), run_id=night.folder.run_id, as_of=night.as_of
    )
    return {"out_segment_distributions": shares}


def _slates(tomorrow: Tomorrow, night: DecisionNight) -> pl.DataFrame:
    return recommend(
        tomorrow.targets.rows.select("user_key", "segment_id", "surface"),
        tomorrow.chances,
        _serving(tomorrow, night),
        run_id=night.folder.run_id,
        as_of=night.as_of,
        seed=night.seed,
    )


def _ranked(night: DecisionNight) -> Mapping[str, pl.DataFrame]:
    """Return the same tables by a ranker, where nothing that was shown is logged."""
    items = night.marts("dim_items", "item_id", "name", "is_in_catalog")
    catalog = items.filter("is_in_catalog")["item_id"].to_list()
    lists = Lists(
        ranker=night.folder.ranker(night.area),
        epsilon=night.exploration,
        names=dict(items.select("item_id", "name").iter_rows()),
        say=night.say,
        run_id=night.folder.run_id,
        as_of=night.as_of,
        seed=night.seed,
        **night.settings,
    )
    acts = ShopActs.of(night.marts("fct_acts", *COLUMNS), catalog)
    if len(acts.users):
        return {"out_recommendations": ranked_lists(acts, lists)}
    return {"out_segment_distributions": list_of_everybody(acts, lists)}


def _serving(tomorrow: Tomorrow, night: DecisionNight) -> Serving:
    item_ids = tomorrow.tasks.action_ids
    # what the catalog calls each item, so that people read names
    named = dict(night.marts("dim_items", "item_id", "name").iter_rows())
    return Serving(
        tomorrow.tasks.segment_ids,
        item_ids,
        tomorrow.scores(),
        tomorrow.served,
        night.say,
        [named.get(item_id) for item_id in item_ids],
    )
