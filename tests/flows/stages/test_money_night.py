"""A whole night of a shop that counts money: its unit in tables, report and verdict, and its truth."""

from pathlib import Path

import polars as pl
import pytest

from features.contracts.findings import finding
from features.errors import InputDataError
from features.simulator.settings import WorldSettings
from features.simulator.shop import simulate
from flows.settings import read_settings
from flows.shops import SIMULATED, write_config
from flows.stages.ingest import ingest
from flows.stages.night import run_night
from flows.workspace import Workspace
from tests.flows.conftest import small_shop

WEIGHTED = 'reward = "weighted"\nreward_weights = { click = 0.01, margin = 1.0 }'


@pytest.mark.slow
@pytest.mark.parametrize("reward", ['reward = "revenue"', WEIGHTED])
def test_a_night_that_counts_money_says_so_everywhere(tmp_path: Path, reward: str) -> None:
    result = run_night(read_settings(small_shop(tmp_path, **{'reward = "click"': reward})), None)

    values = result.published.table("out_policy_values").filter(segment_id="all", policy="logging")
    assert values["true_value"].null_count() == 0
    # an order of 30 EUR in a hundred rounds, or its margin of a third
    assert values.filter(domain="recommendation")["value"].is_between(0.05, 1.0).all()
    scores = result.published.table("out_recommendations")
    assert scores.select((pl.col("score_lower") <= pl.col("score")).all()).item()
    assert "per round, EUR" in result.published.report.read_text(encoding="utf-8")
    is_weighted = "weighted" in reward
    assert ("advertising" in result.night.undecided) is is_weighted
    if is_weighted:
        why = finding("reward_not_logged", "advertising", reward="weighted", results="margin")
        assert result.night.undecided["advertising"] == why


def test_margin_is_refused_before_anything_is_learned_where_no_cost_is_known(tmp_path: Path) -> None:
    config = tmp_path / "logs" / "metacart.toml"
    simulate(WorldSettings(users=60, days=3, seed=1), config.parent)
    write_config(config, SIMULATED, name="tiny", logs=config.parent, data=tmp_path / "data")
    asked = config.read_text(encoding="utf-8").replace('reward = "click"', 'reward = "margin"')
    config.write_text(asked.replace("min_rounds = 500", "min_rounds = 50"), encoding="utf-8")
    items = config.parent / "items.csv"
    pl.read_csv(items, infer_schema=False).drop("cost_cents").write_csv(items)

    with pytest.raises(InputDataError, match="no cost is known of any of"):
        ingest(Workspace(read_settings(config)), None)
