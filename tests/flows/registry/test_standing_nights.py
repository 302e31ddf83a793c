"""Nights in a row: one elects a champion, the next ones let it stand, among new items and by hand."""

import json
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from features.errors import DamagedFileError, UsageError
from flows.commands.cli import execute
from flows.erasure.erase import erase
from flows.registry.hand import Decision, record
from flows.registry.listing import find_champion, list_champions
from flows.settings import read_settings
from flows.stages.night import NightResult, run_night
from flows.stages.unpublish import unpublish
from flows.standing import StandingChampion, StandingChampions
from flows.workspace import Workspace
from offline_rl.ope.evaluated_policies import Evaluation
from offline_rl.ope.policy_value import Difference
from tests.flows.registry.published import manifest, own_table, slates, verdict
from tests.flows.uniform_shop import FIRST, uniform_shop, write_day, write_items

AREA = "recommendation"
ELECTED_ON = FIRST + timedelta(days=6)


def night_after(shop: Workspace, n_days: int) -> NightResult:
    return run_night(shop.settings, ELECTED_ON + timedelta(days=n_days))


def codes(night: NightResult) -> set[str]:
    return {note["finding"]["code"] for note in manifest(night)["findings"]["notes"]}


@pytest.fixture(scope="module")
def elected(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, NightResult]:
    """A shop whose night has promoted a policy; copy it before it is changed."""
    folder = tmp_path_factory.mktemp("registry") / "shop"
    return folder, night_after(uniform_shop(folder), 0)


@pytest.fixture
def shop(elected, tmp_path) -> Workspace:
    shutil.copytree(elected[0], tmp_path / "shop")
    return Workspace(read_settings(tmp_path / "shop" / "metacart.toml"))


def version(elected: tuple[Path, NightResult]) -> str:
    return manifest(elected[1])["champions"][AREA]["policy_version"]


def test_the_elected_policy_is_in_the_registry(elected, shop):
    assert verdict(elected[1])["verdict"] == "promote"
    assert verdict(elected[1])["evidence_level"] == "logged"
    [of_area] = list_champions(shop)
    [champion] = of_area.champions
    assert (champion.state, champion.card.policy_version) == ("champion", version(elected))
    assert champion.card.difference == verdict(elected[1])["difference"]
    assert champion.sha256 == manifest(elected[1])["champions"][AREA]["sha256"]


def test_the_champion_learns_anew_and_serves_until_new_rounds_elect_another(elected, shop):
    after = night_after(shop, 1)
    assert verdict(after)["verdict"] == "hold"
    [version_after] = set(slates(after)["policy_version"])
    assert version_after == version(elected).replace(elected[1].night.run_id, after.night.run_id)
    assert set(slates(after)["reason_code"]) <= {"held", "exploration"}
    assert slates(after)["reason_text"].str.contains("has learned anew from all rounds so far").all()
    assert "champion_stands" in codes(after)
    # Judged by the one day after its election, less the attribution window.
    assert verdict(after)["judged_from"] == ELECTED_ON + timedelta(days=1)
    # Its learner does not ask to take its own place, nor what would have had to pass before it.
    assert verdict(after)["candidate"] == "mixed_effects"
    [of_area] = list_champions(shop)
    now, before = of_area.champions
    assert (now.state, before.state) == ("champion", "retired")
    assert now.card.elected_version == before.card.policy_version == now.card.parent
    assert (now.card.elected_on, now.card.as_of) == (ELECTED_ON, after.night.as_of)
    assert now.card.difference == before.card.difference


def test_what_is_learned_anew_and_earns_less_does_not_serve(elected, shop, monkeypatch):
    worse = Difference("pooled_reward_model", "incumbent", -0.3, -0.4, -0.2)
    found = Evaluation.difference

    def difference(self, policy, other, *more, **settings):
        pair = policy, other
        return worse if pair == (worse.policy, worse.other) else found(self, policy, other, *more, **settings)

    monkeypatch.setattr(Evaluation, "difference", difference)
    after = night_after(shop, 1)
    assert set(slates(after)["policy_version"]) == {version(elected)}
    assert "champion_kept_unfitted" in codes(after)
    # The same model of nearly the same histories: an item has nearly the same chance with a visitor.
    both = slates(elected[1]).join(slates(after), on=["user_key", "item_id"])
    assert both.height > 100
    assert both.select((pl.col("propensity") - pl.col("propensity_right")).abs().mean()).item() < 0.02


@pytest.mark.slow
def test_a_night_run_again_stands_on_the_champion_before_it(elected, shop):
    again = night_after(shop, 0)
    assert again.night.run_id == elected[1].night.run_id
    assert manifest(again) == manifest(elected[1])
    assert len(list(shop.registry.glob("*/*/card.json"))) == 1


@pytest.mark.slow
def test_new_items_are_scored_and_old_ones_are_gone(shop):
    folder = shop.settings.shop.logs.parent
    colors = {"r1": "red", "b1": "blue", "r3": "red", "r4": "red"}
    write_items(folder, colors)
    day = ELECTED_ON + timedelta(days=1)
    for name in ("shown", "clicked"):
        (folder / "logs" / f"{name}-{day}.csv").unlink()
    write_day(folder, day, tuple(colors), colors)
    after = night_after(shop, 1)
    [note] = [
        note["finding"]
        for note in manifest(after)["findings"]["notes"]
        if note["finding"]["code"] == "champion_stands"
    ]
    assert note["numbers"]["n_new_items"] == 2
    served = slates(after)
    assert set(served["item_id"]) <= set(colors)
    # On phones the new red items are scored as red ones, above the blue one.
    phones = served.filter(segment_id="device=phone", is_exploration=False)
    assert not phones.filter(item_id="b1").height


@pytest.mark.slow
def test_a_champion_of_nothing_but_items_that_are_gone_does_not_serve(elected, shop):
    folder = shop.settings.shop.logs.parent
    first_day = min((folder / "logs").glob("shown-*.csv"))
    for path in (*(folder / "logs").glob("shown-*"), *(folder / "logs").glob("clicked-*")):
        path.unlink()
    colors = {"x1": "red", "x2": "blue"}
    write_items(folder, colors)
    assert first_day.name == f"shown-{FIRST}.csv"
    shutil.rmtree(shop.warehouse.parent)
    # Days enough for another look at what serves in its place.
    for n_days in range(10):
        write_day(folder, FIRST + timedelta(days=n_days), tuple(colors), colors)
    after = night_after(shop, 3)
    assert "champion_items_gone" in codes(after)
    assert "champion_stands" not in codes(after)
    assert "and is retired: none of the" in after.published.report.read_text()
    [of_area] = list_champions(shop)
    gone = of_area.champions[-1]
    assert (gone.state, gone.card.policy_version) == ("retired", version(elected))
    # What is promoted on that night takes the place of the shop's own policy, which served meanwhile.
    assert verdict(after)["verdict"] == "promote"
    assert of_area.champions[0].card.parent == ""


def test_a_champion_whose_items_are_gone_leaves_its_place_to_the_shops_own_policy():
    gone = StandingChampion("old-2026-01-05-0a1b2c3d", "ab" * 32)
    other = StandingChampion("new-2026-01-05-0a1b2c3d", "cd" * 32)
    stood = StandingChampions({"recommendation": gone, "advertising": other}, (0,))
    assert stood.without(["recommendation"]) == StandingChampions({"advertising": other}, (0,))
    pinned = StandingChampions({"recommendation": replace(gone, hand="pinned")})
    assert pinned.without(["recommendation"]).of("recommendation") == StandingChampion(hand="pinned")


def test_a_champion_waits_while_a_night_can_judge_no_policy(elected, shop, capsys):
    config = shop.settings.shop.logs.parent / "metacart.toml"
    config.write_text(config.read_text().replace("min_rounds = 100", "min_rounds = 5000"))
    after = night_after(Workspace(read_settings(config)), 1)
    assert after.night.unproven[AREA].code == "acts_beside_few_rounds"
    assert set(slates(after)["evidence_level"]) == {"unproven"}
    assert manifest(after)["champions"][AREA]["policy_version"] == version(elected)
    [of_area] = list_champions(shop)
    [champion] = of_area.champions
    assert (of_area.rests_since, of_area.own_serves) == (after.night.as_of, False)
    assert champion.served_to == ELECTED_ON
    assert execute(["champions", "--config", str(config)]) == 0
    assert f"The night of {after.night.as_of} could judge no policy here" in capsys.readouterr().out


@pytest.mark.slow
def test_a_champion_goes_on_serving_where_propensities_are_no_longer_logged(elected, shop):
    """What is learned from estimated propensities takes no place, not even that of what it learned before."""
    config = shop.settings.shop.logs.parent / "metacart.toml"
    config.write_text(config.read_text().replace('propensity = "propensity", ', ""))
    shutil.rmtree(shop.warehouse.parent)
    after = night_after(Workspace(read_settings(config)), 1)
    assert after.night.estimated.keys() == {AREA}
    assert verdict(after)["verdict"] in ("test", "hold", "reject")
    assert set(slates(after)["policy_version"]) == {version(elected)}
    assert set(slates(after)["evidence_level"]) == {"logged"}
    # The shop logs acts too, but its lists do not take the champion's place.
    assert not manifest(after)["unproven"]
    assert len(list(shop.registry.glob("*/*/card.json"))) == 1
    [of_area] = list_champions(shop)
    assert (of_area.champions[0].state, of_area.rests_since) == ("champion", None)


def decide(shop: Workspace, act: str, policy_version: str = "", sha256: str = "") -> None:
    record(shop, Decision(act, AREA, ELECTED_ON.isoformat(), policy_version, sha256))


@pytest.mark.slow
def test_a_rollback_holds_for_one_night_and_a_pin_until_it_is_taken_back(elected, shop):
    decide(shop, "rollback")
    again = night_after(shop, 0)
    assert again.night.run_id != elected[1].night.run_id
    assert set(slates(again)["policy_version"]) == {own_table(again)}
    assert verdict(again)["reason_codes"] == "champion_rolled_back"
    after = night_after(shop, 1)
    assert manifest(after)["champions"].get(AREA, {}).get("hand", "") == ""
    # Evidence decides again, but has hardly grown since it promoted the policy that was taken back.
    assert verdict(after)["reason_codes"] == "between_looks"


@pytest.mark.slow
def test_a_pinned_policy_serves_whatever_the_evidence_says(elected, shop):
    entry = manifest(elected[1])["champions"][AREA]
    decide(shop, "rollback")
    decide(shop, "pin")
    first, second = night_after(shop, 0), night_after(shop, 1)
    assert verdict(second)["reason_codes"] == "champion_pinned"
    assert set(slates(second)["policy_version"]) == {own_table(second)}
    assert manifest(second)["champions"][AREA] == {"policy_version": "", "sha256": "", "hand": "pinned"}
    later = Decision(
        "rollback", AREA, second.night.as_of.isoformat(), entry["policy_version"], entry["sha256"]
    )
    record(shop, later)
    third = night_after(shop, 1)
    assert set(slates(third)["policy_version"]) == {version(elected)}
    assert first.night.run_id != second.night.run_id != third.night.run_id


def test_a_night_that_is_taken_back_takes_its_champion_back(elected, shop):
    unpublish(shop, elected[1].night.run_id)
    [of_area] = list_champions(shop)
    assert [champion.state for champion in of_area.champions] == ["candidate"]
    assert of_area.own_serves
    with pytest.raises(UsageError, match="has no champion 'nobody'"):
        find_champion(shop, AREA, "nobody")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("missing folder", "is missing, and its policy serves"),
        ("missing file", "missing or has changed"),
        ("changed byte", "missing or has changed"),
        ("changed card", "is not the card that was elected"),
        ("foreign file", "does not belong to a champion"),
    ],
)
def test_a_registry_that_is_not_as_it_was_stops_the_night(damage, said, shop):
    [card] = shop.registry.glob("*/*/card.json")
    policy = card.with_name("served.safetensors")
    if damage == "missing folder":
        shutil.rmtree(card.parent)
    elif damage == "missing file":
        policy.unlink()
    elif damage == "changed byte":
        policy.write_bytes(policy.read_bytes()[:-1] + b"\x01")
    elif damage == "changed card":
        card.write_text(json.dumps(json.loads(card.read_text()) | {"difference": 9.0}))
    else:
        card.with_name("notes.txt").write_text("mine")
    with pytest.raises(DamagedFileError, match=said):
        night_after(shop, 1)


def test_another_shop_knows_nothing_of_it(elected, shop, tmp_path):
    text = (tmp_path / "shop" / "metacart.toml").read_text()
    (tmp_path / "shop" / "other.toml").write_text(text.replace('name = "uniform"', 'name = "other"'))
    other = Workspace(read_settings(tmp_path / "shop" / "other.toml"))
    assert other.registry.parent == shop.registry.parent
    assert list_champions(other) == []


def test_an_erasure_removes_a_champion_that_names_the_person(shop):
    [readings] = shop.registry.glob("*/*/readings.json")
    readings.write_text(readings.read_text().replace("red", "ann@example-shop"))
    proof = erase(shop, "ann@example-shop", reason="request", erased_on=ELECTED_ON)
    assert proof.is_done
    assert not readings.parent.exists()
    after = night_after(shop, 1)
    assert set(slates(after)["policy_version"]) == {own_table(after)}
    assert verdict(after)["reason_codes"] == "champion_rolled_back"


def test_an_erasure_of_somebody_else_leaves_the_champion(shop):
    before = {path: path.read_bytes() for path in shop.registry.rglob("*") if path.is_file()}
    assert erase(shop, "u1", reason="request", erased_on=ELECTED_ON).is_done
    assert {path: path.read_bytes() for path in shop.registry.rglob("*") if path.is_file()} == before
