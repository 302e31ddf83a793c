"""Nights with an experiment: it begins where the log can't tell, is read out each night, and ends by rule."""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from features.codes import Window
from features.contracts.findings import from_json
from features.errors import DamagedFileError
from features.warehouse.store import open_store
from flows.commands.champions import _lines
from flows.erasure.erase import erase
from flows.registry.hand import Decision, record
from flows.registry.listing import list_champions
from flows.settings import read_settings
from flows.stages import experiments
from flows.stages.night import NightResult, run_night
from flows.stages.unpublish import unpublish
from flows.stages.verify import verify
from flows.workspace import Workspace
from offline_rl.decisions.recommendation.arms import in_candidate_arm
from offline_rl.experiments import stop_rule
from tests.flows.registry.published import manifest, own_table, slates, verdict
from tests.flows.served_shop import write_served_day
from tests.flows.uniform_shop import FIRST, uniform_shop, write_day, write_items

AREA = "recommendation"
BEGINS_ON = FIRST + timedelta(days=3)

EXPERIMENT = """
[experiment]
share = 0.4
max_days = 3
min_users_per_arm = 30
"""


def night_after(shop: Workspace, n_days: int) -> NightResult:
    return run_night(shop.settings, BEGINS_ON + timedelta(days=n_days))


def experiment(night: NightResult) -> dict[str, Any]:
    return night.published.table("out_experiments").row(0, named=True)


def version(night: NightResult) -> str:
    return manifest(night)["experiments"][AREA]["tried"][-1]


def windows_of(shop: Workspace, night: NightResult) -> pl.DataFrame:
    """Version and window of each round that a night learned from or evaluated on."""
    with open_store(shop.warehouse) as connection:
        versions = connection.sql("SELECT round_id, policy_version FROM fct_rounds").pl()
    return shop.night_folder(night.night.run_id).rounds(AREA).join(versions, on="round_id")


def candidates(night: NightResult) -> list[str]:
    """The versions that a night's table serves to the candidate's arm."""
    return slates(night).filter(arm="candidate")["policy_version"].unique().to_list()


def anew_of(begun: NightResult, after: NightResult) -> str:
    """The version of the candidate that its learner has learned on a later night."""
    return version(begun).replace(begun.night.run_id, after.night.run_id)


def with_settings(shop: Workspace, old: str, new: str) -> Workspace:
    path = shop.settings.shop.logs.parent / "metacart.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return Workspace(read_settings(path))


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, NightResult]:
    """A shop whose gate asks for more than its log can tell, on the night that begins an experiment."""
    folder = tmp_path_factory.mktemp("experiment") / "shop"
    shop = uniform_shop(folder, n_days=4)
    shop = with_settings(shop, "min_ess = 50.0", f"min_ess = 5000.0\n{EXPERIMENT}")
    return folder, night_after(shop, 0)


@pytest.fixture
def shop(begun, tmp_path) -> Workspace:
    shutil.copytree(begun[0], tmp_path / "shop")
    return Workspace(read_settings(tmp_path / "shop" / "metacart.toml"))


def serve(
    shop: Workspace, before: NightResult, n_days: int, *, n_visits: int = 250, lift: float = 1.0
) -> NightResult:
    """Serve the newest table for a day, and return the night after it; lift: of the candidate's clicks."""
    table = shop.published / before.night.run_id / "out_recommendations.parquet"
    day, folder = BEGINS_ON + timedelta(days=n_days), shop.settings.shop.logs.parent
    write_served_day(folder, day, table, n_visits=n_visits, lift=dict.fromkeys(candidates(before), lift))
    return night_after(shop, n_days)


def test_an_experiment_begins_where_the_log_cant_tell(begun) -> None:
    _, night = begun
    assert verdict(night)["verdict"] == "hold"
    assert "cannot_be_judged" in verdict(night)["reason_codes"]
    row = experiment(night)
    assert (row["status"], row["day"], row["reason_codes"]) == ("running", 0, "experiment_started")
    assert row["experiment_id"] == f"{AREA}/{version(night)}"
    assert (row["difference"], row["champion"]) == (None, None)


def test_arm_and_probability_stand_in_the_table_and_the_arm_follows_from_the_user(begun) -> None:
    _, night = begun
    users = slates(night).unique("user_key").sort("user_key")
    expected = in_candidate_arm(users["user_key"].to_list(), experiment(night)["experiment_id"], 0.4)
    assert (users["arm"] == "candidate").to_list() == expected.tolist()
    by_arm = slates(night).select("arm", "policy_version", "evidence_level", "arm_probability").unique()
    assert sorted(by_arm.rows()) == [
        ("candidate", version(night), "experiment", 0.4),
        ("champion", own_table(begun[1]), "logged", 0.6),
    ]
    assert 0.3 < expected.mean() < 0.5


def test_it_is_named_a_candidate_and_its_folder_is_in_the_registry(begun, shop) -> None:
    [of_area] = list_champions(shop)
    [listed] = of_area.champions
    assert (listed.state, listed.experiment, of_area.own_serves) == ("candidate", "runs", True)
    assert listed.card.policy_version == version(begun[1])
    said = list(_lines(list_champions(shop), shop.settings))
    assert "in an experiment against the shop's own policy" in said[-1] and said[-1].endswith("it runs")


def test_it_goes_on_with_the_same_users_and_a_candidate_that_has_learned_anew(begun, shop) -> None:
    first = serve(shop, begun[1], 1, n_visits=90, lift=0.55)
    assert experiment(first)["n_rounds_candidate"] == 0
    # A day counts once all of its rewards are known.
    after = night_after(shop, 2)
    row = experiment(after)
    assert (row["status"], row["day"], row["champion"]) == ("running", 2, "logging")
    # Users without a list count as well, in the arm that they would be in.
    assert row["n_rounds_candidate"] + row["n_rounds_champion"] == 90
    assert 0.8 < row["served_share"] < 1.0
    assert (verdict(after)["verdict"], row["reason_codes"]) == ("hold", "experiment_goes_on")
    # The gate goes on to ask what the log shows by itself.
    assert verdict(after)["reason_codes"] == "between_looks"
    anew = anew_of(begun[1], after)
    assert row["candidate"] == version(begun[1])
    assert set(slates(after)["policy_version"]) == {anew, own_table(after)}
    arms = slates(begun[1]).unique("user_key").join(slates(after).unique("user_key"), on="user_key")
    assert arms.height > 150 and (arms["arm"] == arms["arm_right"]).all()


def test_a_candidate_that_earns_more_becomes_the_champion(begun, shop) -> None:
    serve(shop, begun[1], 1, n_visits=900)
    after = night_after(shop, 2)
    row, found = experiment(after), verdict(after)
    assert (row["status"], found["verdict"]) == ("promoted", "promote")
    assert 0 < found["lower"] < found["difference"] == row["difference"] == pytest.approx(0.25, abs=0.1)
    assert found["candidate"] == found["champion"] == "pooled_reward_model"
    assert from_json(found["findings"])[0].code == "experiment_won"
    segments = after.published.table("out_verdicts").filter(pl.col("segment_id") != "all")
    assert set(segments["verdict"]) == {"served"}
    entry, anew = manifest(after)["champions"][AREA], anew_of(begun[1], after)
    assert entry["policy_version"] == anew
    assert "experiments" not in manifest(after)
    rows = slates(after)
    assert set(rows["policy_version"]) == {anew}
    assert set(rows["evidence_level"]) == {"experiment"}
    assert rows["arm"].null_count() == rows.height
    listed, began = list_champions(shop)[0].champions
    assert (listed.state, listed.card.elected_on) == ("champion", after.night.as_of)
    assert (listed.card.elected_version, listed.card.parent) == (anew, "")
    assert listed.card.difference == found["difference"]
    assert (began.state, began.experiment) == ("retired", "ended")
    assert all(not checked.faults for checked in verify(shop))
    # Its learner learns anew on the next night, as that of any champion.
    later = night_after(shop, 3)
    assert "champion_stands" in {note["finding"]["code"] for note in manifest(later)["findings"]["notes"]}
    assert set(slates(later)["evidence_level"]) == {"experiment"}


def test_what_the_log_shows_by_itself_ends_it(begun, shop) -> None:
    trusting = with_settings(shop, "min_ess = 5000.0", "min_ess = 50.0")
    after = serve(trusting, begun[1], 1, n_visits=500, lift=0.45)
    row, found = experiment(after), verdict(after)
    assert (row["status"], row["reason_codes"]) == ("ended", "experiment_overtaken")
    assert (found["verdict"], found["evidence_level"]) == ("promote", "logged")
    assert manifest(after)["champions"][AREA]["policy_version"] in set(slates(after)["policy_version"])
    assert "experiments" not in manifest(after)
    assert slates(after)["arm"].null_count() == slates(after).height


@pytest.mark.slow
def test_a_candidate_that_earns_less_is_rejected(begun, shop) -> None:
    serve(shop, begun[1], 1, n_visits=900, lift=0.02)
    after = night_after(shop, 2)
    assert (experiment(after)["status"], verdict(after)["verdict"]) == ("rejected", "reject")
    assert verdict(after)["upper"] < 0
    assert set(slates(after)["policy_version"]) == {own_table(after)}
    assert manifest(after)["experiments"][AREA] == {"running": None, "tried": [version(begun[1])]}
    [listed] = list_champions(shop)[0].champions
    assert (listed.state, listed.experiment) == ("retired", "ended")


@pytest.mark.slow
def test_after_its_days_it_ends_and_another_one_asks_for_more(begun, shop, monkeypatch) -> None:
    monkeypatch.setattr(stop_rule, "LEAST_CHANCE", 0.0)  # it goes on however little it promises
    night = begun[1]
    for n_days in (1, 2, 3):
        night = serve(shop, night, n_days, n_visits=120, lift=0.55)
    assert experiment(night)["status"] == "ended"
    assert experiment(night)["reason_codes"].startswith("experiment_over")
    assert set(slates(night)["policy_version"]) == {own_table(night)}
    # Another one begins at the next look, when the log has grown by a quarter.
    again = serve(shop, night, 4, n_visits=600)
    assert experiment(again)["reason_codes"] == "experiment_started"
    assert experiment(again)["confidence"] == pytest.approx(0.975)
    assert len(manifest(again)["experiments"][AREA]["tried"]) == 2


@pytest.mark.slow
def test_what_has_hardly_a_chance_of_winning_is_given_up(begun, shop) -> None:
    serve(shop, begun[1], 1, n_visits=120, lift=0.35)
    after = night_after(shop, 2)
    assert (experiment(after)["status"], experiment(after)["reason_codes"]) == (
        "ended",
        "experiment_given_up",
    )
    assert experiment(after)["lower"] < 0 < experiment(after)["upper"]
    assert verdict(after)["verdict"] == "hold"
    assert set(slates(after)["policy_version"]) == {own_table(after)}


def test_rounds_of_a_candidate_are_in_no_window_that_anything_is_evaluated_on(begun, shop) -> None:
    serve(shop, begun[1], 1, n_visits=60, lift=0.55)
    # The same date once more: its table is another version of the candidate, and the first table served.
    asked_more = with_settings(shop, "min_ess = 5000.0", "min_ess = 5001.0")
    first = night_after(shop, 1)
    again = night_after(asked_more, 1)
    assert candidates(first) != candidates(again)
    after = serve(asked_more, first, 2, n_visits=60, lift=0.55)
    windows = windows_of(asked_more, after)
    of_candidate = windows.filter(pl.col("policy_version").str.starts_with("pooled_reward_model-"))
    assert set(of_candidate["policy_version"]) == {version(begun[1]), *candidates(first)}
    assert set(of_candidate["window"]) <= {Window.GAP, Window.OPEN}
    assert {Window.SUPPORT, Window.HOLDOUT} <= set(windows["window"])
    assert experiment(after)["served_share"] > 0.8


def test_a_night_that_is_taken_back_takes_its_experiment_back(begun, shop) -> None:
    unpublish(shop, begun[1].night.run_id)
    [of_area] = list_champions(shop)
    assert [(one.state, one.experiment) for one in of_area.champions] == [("candidate", "")]
    again = night_after(shop, 0)
    assert again.night.run_id == begun[1].night.run_id
    assert manifest(again) == manifest(begun[1])


@pytest.mark.slow
@pytest.mark.parametrize("act", ["pin", "rollback"])
def test_a_decision_by_hand_ends_it(act, begun, shop) -> None:
    record(shop, Decision(act, AREA, BEGINS_ON.isoformat()))
    after = serve(shop, begun[1], 1)
    assert experiment(after)["status"] == "ended"
    assert experiment(after)["reason_codes"] == "experiment_ended_by_hand"
    assert verdict(after)["reason_codes"] == ("champion_pinned" if act == "pin" else "champion_rolled_back")
    assert set(slates(after)["policy_version"]) == {own_table(after)}


@pytest.mark.slow
def test_a_share_of_0_ends_it(begun, shop) -> None:
    after = serve(with_settings(shop, "share = 0.4", "share = 0.0"), begun[1], 1)
    assert experiment(after)["reason_codes"] == "experiment_switched_off"
    assert experiment(after)["status"] == "ended"
    assert manifest(after)["experiments"][AREA]["running"] is None


def test_a_candidate_that_is_not_as_it_was_stops_the_night(begun, shop) -> None:
    [policy] = shop.registry.glob("*/*/served.safetensors")
    policy.write_bytes(policy.read_bytes()[:-1] + b"\x01")
    with pytest.raises(DamagedFileError, match="missing or has changed"):
        serve(shop, begun[1], 1)


@pytest.mark.slow
def test_an_erasure_that_removes_the_candidate_ends_it(begun, shop) -> None:
    [readings] = shop.registry.glob("*/*/readings.json")
    readings.write_text(readings.read_text().replace("red", "ann@example-shop"))
    assert erase(shop, "ann@example-shop", reason="request", erased_on=BEGINS_ON).is_done
    assert not readings.parent.exists()
    after = serve(shop, begun[1], 1)
    assert experiment(after)["reason_codes"] == "experiment_ended_by_hand"
    assert set(slates(after)["policy_version"]) == {own_table(after)}


@pytest.mark.slow
@pytest.mark.parametrize("learns", [False, True])
def test_a_candidate_whose_items_are_gone_serves_only_where_it_learns_anew(
    learns, begun, shop, monkeypatch
) -> None:
    if not learns:
        monkeypatch.setattr(experiments, "_version_tonight", lambda *of: of[-1])
    folder = shop.settings.shop.logs.parent
    colors = {"x1": "red", "x2": "blue"}
    for path in (*(folder / "logs").glob("shown-*"), *(folder / "logs").glob("clicked-*")):
        path.unlink()
    write_items(folder, colors)
    shutil.rmtree(shop.warehouse.parent)
    for n_days in range(5):
        write_day(folder, FIRST + timedelta(days=n_days), tuple(colors), colors)
    row = experiment(night_after(shop, 1))
    assert row["status"] == ("running" if learns else "ended")
    assert (row["reason_codes"] == "experiment_candidate_gone") is not learns
