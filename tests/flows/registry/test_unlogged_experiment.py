"""A shop that logs no propensities gets to the end by an experiment: test, arms, promotion, champion."""

from datetime import timedelta

import polars as pl
import pytest

from flows.json_files import read_json
from flows.settings import read_settings
from flows.stages.night import NightResult, run_night
from flows.workspace import Workspace
from tests.flows.unlogged_shop import FIRST, SERVED, unlogged_shop, write_served_day

AREA, N_USERS, N_DAYS = "recommendation", 200, 8


pytestmark = pytest.mark.slow  # many nights of one shop


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, list[NightResult]]:
    """The night that begins the experiment, those while it runs, the one that ends it, and one more."""
    folder = tmp_path_factory.mktemp("unlogged")
    unlogged_shop(folder, n_users=N_USERS, n_days=N_DAYS)
    # Who is in which arm follows from the pseudonyms.
    key = folder / "data" / "secrets" / "unlogged.key"
    key.parent.mkdir(parents=True)
    key.write_text("0a" * 32 + "\n")
    key.chmod(0o600)
    config = folder / "metacart.toml"
    config.write_text(config.read_text().replace("share = 0.0", "share = 0.5"))
    shop = Workspace(read_settings(config))
    found = [run_night(shop.settings, (FIRST + timedelta(days=N_DAYS - 1)).date())]
    for day in range(N_DAYS, N_DAYS + 6):
        table = found[-1].published.tables["out_recommendations"]
        write_served_day(folder, table, n_users=N_USERS, day=day)
        if SERVED not in config.read_text():
            config.write_text(config.read_text() + SERVED)
            shop = Workspace(read_settings(config))
        was_running = status(found[-1]) == "running"
        found.append(run_night(shop.settings, (FIRST + timedelta(days=day)).date()))
        if not was_running:
            break
    return shop, found


def status(night: NightResult) -> str:
    tables = night.published.tables
    return night.published.table("out_experiments")["status"].item() if "out_experiments" in tables else ""


def verdict(night: NightResult) -> str:
    return night.verdicts.filter(domain=AREA, segment_id="all")["verdict"].item()


def test_the_candidate_that_was_to_be_tested_is_tested_against_the_lists(nights) -> None:
    begun = nights[1][0]
    assert verdict(begun) == "test"
    rows = begun.published.table("out_recommendations")
    levels = dict(rows.select("arm", "evidence_level").unique().iter_rows())
    assert levels == {"candidate": "experiment", "champion": "unproven"}
    assert rows.filter(arm="candidate")["surface"].unique().to_list() == ["home"]
    assert rows.group_by("user_key").agg(pl.col("arm").n_unique()).select(pl.col("arm").max()).item() == 1


def test_it_is_promoted_by_what_users_did(nights) -> None:
    *running, won, _ = nights[1]
    assert {status(night) for night in running} == {"running"}
    assert (verdict(running[-1]), status(won), verdict(won)) == ("hold", "promoted", "promote")
    # The newest day has no complete rewards yet.
    assert running[1].published.table("out_experiments")["n_rounds_candidate"].item() == 0
    read = won.published.table("out_experiments").row(0, named=True)
    assert read["n_users_candidate"] + read["n_users_champion"] == N_USERS
    # In truth 0.5 less what the lists earn.
    assert read["value_candidate"] == pytest.approx(0.5, abs=0.15)
    rows = won.published.table("out_recommendations")
    assert set(rows["evidence_level"]) == {"experiment"}
    assert rows["user_key"].n_unique() == N_USERS
    manifest = read_json(won.published.folder / "manifest.json")
    assert AREA not in manifest["unproven"]


def test_it_serves_as_champion_though_no_propensity_was_ever_logged(nights) -> None:
    last = nights[1][-1]
    assert last.night.estimated.keys() == {AREA}
    assert AREA not in last.night.unproven
    manifest = read_json(last.published.folder / "manifest.json")
    rows = last.published.table("out_recommendations")
    assert set(rows["policy_version"]) == {manifest["champions"][AREA]["policy_version"]}
    assert set(rows["evidence_level"]) == {"experiment"}
