"""A shop that logs clicks alone: its ranking is chosen and measured on later days, and serves."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from features.contracts.outputs import OUTPUTS
from features.contracts.policy_versions import policy_of
from flows.json_files import read_json
from flows.settings import read_settings
from flows.shops import FILES, write_config
from flows.stages.night import NightResult, run_night
from flows.stages.verify import verify
from flows.workspace import Workspace
from tests.flows.spend_shop import EVENTS

USERS, WEEKS = 150, 6


@pytest.fixture(scope="module")
def clicks_alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, NightResult]:
    """Half of the users click one half of the shelf, the others the other half, three items a week."""
    folder = tmp_path_factory.mktemp("clicks")
    draw = np.random.default_rng(5)
    lines = ["id,at,who,what,did"]
    for user in range(USERS):
        for week in range(WEEKS):
            at = datetime(2026, 1, 5, tzinfo=UTC) + timedelta(days=7 * week + float(draw.uniform(0, 6)))
            for item in np.unique(draw.integers(15, size=3)) + 15 * (user % 2):
                lines.append(f"{len(lines)},{at:%Y-%m-%dT%H:%M:%SZ},user {user},item {item},click")
    (folder / "events-a.csv").write_text("\n".join([*lines, ""]))
    config = folder / "metacart.toml"
    write_config(config, FILES, name="clicks", logs=folder, data=folder / "data")
    config.write_text(config.read_text() + EVENTS)
    shop = Workspace(read_settings(config))
    return shop, run_night(shop.settings, None)


def test_the_ranking_that_wins_on_later_days_serves_every_user(clicks_alone) -> None:
    _, result = clicks_alone
    rows = pl.read_parquet(result.published.tables["out_recommendations"])
    [version] = rows["policy_version"].unique()
    ranker = policy_of(version)
    assert version == f"{ranker}-{result.night.run_id}"
    assert ranker != "popularity"
    assert rows["user_key"].n_unique() == USERS
    assert set(rows["evidence_level"]) == {"unproven"}
    assert rows["propensity"].min() == pytest.approx(0.1 / 30)
    quality = pl.read_parquet(result.published.tables["out_recommendation_quality"])
    OUTPUTS["out_recommendation_quality"].validate(quality, cast=True)
    tested = quality.filter(
        pl.col("window_from") == pl.col("window_from").max(), metric="ndcg", ranker=ranker
    )
    assert tested["difference_lower"][0] > 0
    assert quality["window_until"].max() <= datetime(2026, 2, 16, tzinfo=UTC)


def test_the_night_says_so_and_proves_nothing(clicks_alone) -> None:
    _, result = clicks_alone
    report = result.published.report.read_text(encoding="utf-8")
    assert "unproven" in report
    assert "NDCG" in report
    assert result.verdicts.is_empty()
    assert set(result.night.unproven) == {"recommendation"}
    assert read_json(result.published.folder / "manifest.json")["unit"] == "user"


def test_the_same_night_again_is_the_same_bytes(clicks_alone) -> None:
    shop, result = clicks_alone
    again = run_night(shop.settings, None)
    assert again.published.folder == result.published.folder
    assert all(not found.faults for found in verify(shop))


def test_no_id_of_the_shop_is_in_what_is_published(clicks_alone) -> None:
    _, result = clicks_alone
    folder: Path = result.published.folder
    assert not [path for path in folder.rglob("*") if path.is_file() and b"user 7" in path.read_bytes()]
