"""Rank: what serves in the domains that nothing can be proved in, chosen by what users did later."""

from dataclasses import asdict

import polars as pl

from features.areas import area_of
from features.contracts.recommendation import RecommendationQuality
from features.contracts.sql_text import identifier
from features.warehouse.store import open_store
from flows.night_folder import Night, Note
from flows.workspace import Workspace
from offline_rl.decisions.recommendation.ranker_choice import choose_ranker
from offline_rl.decisions.recommendation.shop_acts import COLUMNS, ShopActs


def rank(workspace: Workspace, night: Night) -> list[Note]:
    """Choose a ranker for every unproven domain; write it and its quality, and return the notes."""
    folder, confidence = workspace.night_folder(night.run_id), workspace.settings.evaluation.confidence
    parts, notes = [], []
    for domain in night.unproven:
        choice = choose_ranker(_acts(workspace, domain), domain, confidence=confidence)
        folder.write_ranker(domain, choice.ranker)
        notes += [Note(domain, "", found) for found in choice.why]
        if choice.rows:
            rows = pl.DataFrame([asdict(row) for row in choice.rows], infer_schema_length=None)
            windows = (pl.from_epoch(name, "us").dt.replace_time_zone("UTC") for name in _WINDOW)
            named = rows.with_columns(*windows, run_id=pl.lit(night.run_id))
            parts.append(
                RecommendationQuality.validate(named.select(RecommendationQuality.column_names()), cast=True)
            )
    folder.write_parts("out_recommendation_quality", parts)
    return notes


_WINDOW = ("window_from", "window_until")


def _acts(workspace: Workspace, domain: str) -> ShopActs:
    columns = ", ".join(map(identifier, COLUMNS))
    with open_store(workspace.warehouse) as connection:
        acts = connection.sql(f"SELECT {columns} FROM {area_of(domain).acts}").pl()
        catalog = connection.sql("SELECT item_id FROM dim_items WHERE is_in_catalog").pl()
    return ShopActs.of(acts, catalog["item_id"].to_list())
