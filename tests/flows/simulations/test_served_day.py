"""The day after a night: its lists are shown, and logged with the propensities of the table."""

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from features.deidentify import pseudonym, read_key
from features.errors import UsageError
from features.simulator.world import World
from flows.commands.cli import execute
from flows.simulations.served_advertising import segmentation_of, served_creatives
from flows.simulations.served_day import draw_served_days


@pytest.fixture
def logs(small_config: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_config.parent, tmp_path / "logs"))


def test_what_is_logged_is_what_was_published(logs, small_night):
    folder = small_night.published.folder
    draw_served_days(logs, folder)
    newest = max((logs / "impressions").glob("*.csv"))
    assert newest.name == "2026-01-15.csv"
    key, world = read_key(logs / "pseudonym.key"), World.load(logs)
    assert world.settings.days == 11
    shown = pl.read_csv(newest).with_columns(
        user_key=pl.col("user_id").map_elements(lambda user: pseudonym(key, user), pl.String)
    )
    published = pl.read_parquet(folder / "out_recommendations.parquet").rename({"slot_rank": "slot"})
    same = ["user_key", "slot", "item_id", "propensity", "policy_version"]
    found = shown.join(published.select(same), on=same, how="left", validate="m:1", coalesce=True)
    named = shown.filter(pl.col("user_key").is_in(published["user_key"].implode()))
    assert found.height == shown.height
    assert 0.9 * shown.height < named.height < shown.height or named.height == shown.height
    assert named.join(published.select(same), on=same, how="anti").height == 0
    # A newcomer whom the table does not name is served by the shop's own policy.
    others = shown.join(published, on="user_key", how="anti")
    assert set(others["policy_version"]) <= set(world.logging.versions)


def test_creatives_and_budgets_act_as_published(logs, small_night):
    folder = small_night.published.folder
    world = World.load(logs)
    draw_served_days(logs, folder)
    ads = pl.read_csv(logs / "ad_impressions" / "2026-01-15.csv")
    chances = served_creatives(world, folder)
    ids = world.advertising.ids
    segment = world.people.segment[world.people.ids.positions(ads["user_id"].to_list())]
    expected = chances[segment, ids.positions(ads["creative_id"].to_list())]
    np.testing.assert_allclose(ads["propensity"], expected)
    for cell in range(9):
        np.testing.assert_allclose(chances[:, world.advertising.cell == cell].sum(1), 1.0)
    plan = pl.read_parquet(folder / "out_budget_allocation.parquet")
    spent = pl.read_csv(logs / "ad_spend_daily" / "2026-01-15.csv")
    both = plan.join(spent, on=["campaign_id", "channel", "segment_id"])
    assert both.height == plan.height == spent.height
    factor = both["spend_cents"] / both["spend_recommended_cents"]
    # Half to double, over the mean of that.
    assert factor.is_between(0.46, 1.86).all() and factor.n_unique() > 1


def test_the_command_says_which_days_it_drew_and_what_it_counts(logs, small_night, capsys):
    asked = ["simulate", "--out", str(logs), "--serve", str(small_night.published.folder)]
    assert execute([*asked, "--days", "0"]) == 64
    assert "1 day or more, not 0" in capsys.readouterr().err
    assert execute([*asked, "--days", "2"]) == 0
    said = capsys.readouterr().out
    rows = [pl.read_csv(logs / "impressions" / f"2026-01-{day}.csv") for day in (15, 16)]
    assert "has the logs of 2026-01-15 to 2026-01-16: " in said
    assert f" {len(pl.concat(rows)):,} impressions, " in said
    users = pl.read_csv(logs / "users.csv").height
    assert f"Its users.csv has {users:,} users, those of all days." in said
    # The same tables act on both days.
    published = pl.read_parquet(small_night.published.folder / "out_recommendations.parquet")
    for day in rows:
        assert set(published["policy_version"]) & set(day["policy_version"])
    assert not (logs / "impressions" / "2026-01-17.csv").exists()


def test_segments_of_traits_that_no_ad_has_are_refused(tmp_path):
    with pytest.raises(UsageError, match="segments by cluster"):
        segmentation_of(["cluster=1"], pl.DataFrame({"region": ["north"]}), tmp_path)


def test_somebody_is_in_the_segment_that_names_most_of_his_traits(tmp_path):
    known = ["region=north|device=*", "region=north|device=mobile", "everyone_else"]
    people = pl.DataFrame({"region": ["north", "north", "south"], "device": ["mobile", "tablet", "mobile"]})
    found = segmentation_of(known, people, tmp_path).assign(people).to_list()
    assert found == ["region=north|device=mobile", "region=north|device=*", "everyone_else"]
    assert segmentation_of(["everyone"], people, tmp_path).assign(people).to_list() == ["everyone"] * 3


def test_a_folder_that_is_no_night_is_refused(logs, tmp_path):
    with pytest.raises(UsageError, match="holds no published night"):
        draw_served_days(logs, tmp_path)


def test_lists_of_another_shop_are_refused(logs, small_night, tmp_path):
    (logs / "pseudonym.key").write_text("ab" * 32 + "\n")
    with pytest.raises(UsageError, match="is not a table of this shop"):
        draw_served_days(logs, small_night.published.folder)
