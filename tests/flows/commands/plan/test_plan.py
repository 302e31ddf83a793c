"""`metacart plan` from a shell: answers, refusals, and the warehouse left as it was."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from features.errors import UsageError
from flows.checksums import sha256_of
from flows.commands.cli import execute
from flows.commands.plan.plan_answer import answer
from flows.commands.plan.printed_plan import printed
from flows.settings import read_settings
from flows.workspace import Workspace
from tests.flows.commands.plan.sample_plans import ASKED, LOG, PLANS

NUMBERS = ("--rate", "0.5", "--users-per-day", "100", "--rounds-per-user", "1")


@pytest.fixture(autouse=True)
def no_shop_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_two_arms_without_a_shop_are_those_on_paper(capsys):
    """16 · 0.25 / 0.05² = 1,600 rounds an arm, 15.7 in the place of 16: 32 days of 100 rounds."""
    assert execute(["plan", *NUMBERS, "--lift", "0.1", "--share", "0.5", "--json"]) == 0

    plan = json.loads(capsys.readouterr().out)
    [arms] = plan["designs"]
    assert (arms["outcome"], arms["days"], arms["users"]) == ("days", 32, pytest.approx(3200))
    assert "items_missing" in [found["code"] for found in plan["findings"]]


def test_every_number_that_is_missing_is_named_with_its_option(capsys):
    assert execute(["plan"]) == 3

    said = capsys.readouterr().out
    assert re.findall(r"--[a-z-]+", said) == [
        "--rate",
        "--users-per-day",
        "--rounds-per-user",
        "--items",
        "--slots",
    ]


def test_a_lift_that_nothing_shows_is_3_in_words(capsys):
    assert execute(["plan", *NUMBERS, "--items", "10", "--lift", "0.001"]) == 3

    said = capsys.readouterr().out
    assert "more than a year" in said
    assert "Nothing here shows this lift in a year." in said


def test_users_who_always_come_back_never_show_a_small_lift(capsys):
    same = ("--users-in-28-days", "100", "--correlation", "0.5")
    assert execute(["plan", *NUMBERS, *same, "--lift", "0.05"]) == 3
    assert "never: too few users" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--lift", "0"), "--lift"),
        (("--lift", "nan"), 'Invalid value "nan" for --lift. nan is not a number to reckon with.'),
        (("--lift", "inf"), "for --lift"),
        (("--share", "0.5", "nan"), "for --share"),
        (("--confidence", "nan"), "for --confidence"),
        (("--slots", "-2"), "--items and --slots are 1 or more"),
        (("--power", "1"), "a power lies"),
        (("--confidence", "2"), "a confidence lies"),
        (("--share", "1.5"), "a share of the users"),
        (("--exploration", "0", "--items", "5"), "a share of exploration"),
        (("--differs", "0", "--items", "5"), "a share of the rounds"),
        (("--correlation", "2"), "a correlation lies"),
        (("--users-in-28-days", "5"), "users of 28 days"),
        (("--config", "missing.toml"), "There is no configuration file"),
    ],
)
def test_options_that_make_no_sense_are_64(capsys, options, said):
    assert execute(["plan", *NUMBERS, *options]) == 64
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--rate", "--users-per-day", "--rounds-per-user"])
@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
def test_a_number_that_is_not_finite_is_64(capsys, option, number):
    assert execute(["plan", option, number]) == 64
    assert f'Invalid value "{number}" for {option}.' in capsys.readouterr().err


def test_a_shop_is_read_and_left_as_it_was(small_night, small_config, capsys):
    warehouse = Workspace(read_settings(small_config)).warehouse
    before = sha256_of(warehouse)

    status = execute(["plan", "--config", str(small_config), "--lift", "0.5", "--json"])

    plan = json.loads(capsys.readouterr().out)
    known = plan["known"]
    assert status == 0
    assert (plan["shop"], known["area"], known["unit"]) == ("small", "recommendation", "rounds")
    assert 0.02 < known["rate"] < 0.2 and known["items"] > 10 and known["slots"] == 3
    assert known["windows"][0]["users"] <= 250
    assert {row["kind"] for row in plan["designs"]} == {"two_arms", "explored", "as_logged"}
    assert sha256_of(warehouse) == before


def test_a_shop_that_is_not_ingested_is_told_how(small_config, tmp_path, capsys):
    text = small_config.read_text(encoding="utf-8")
    config = tmp_path / "shop.toml"
    config.write_text(re.sub(r'(?m)^data = ".*"', f'data = "{tmp_path / "none"}"', text), encoding="utf-8")

    assert execute(["plan", "--config", str(config)]) == 3
    assert "`metacart ingest`" in capsys.readouterr().out
    assert not (tmp_path / "none").exists()


def test_more_exploration_costs_more_and_needs_fewer_days():
    rare, often = PLANS["all"].off_policy[:2]

    assert (rare.cost, often.cost) == (pytest.approx(0.02 * 0.2), pytest.approx(0.2))
    assert rare.lifts > often.lifts


def test_a_cost_that_the_log_does_not_know_is_said_to_be_unknown():
    unknown = answer(ASKED, replace(LOG, propensities=None))

    assert {row.cost for row in unknown.off_policy} == {None}
    assert {row.kind for row in unknown.off_policy} == {"explored"}
    assert "What exploring costs is not known" in printed(unknown)
    assert "No round has a propensity" in printed(unknown)


def test_evidence_that_the_gate_would_refuse_is_marked():
    plan = answer(replace(ASKED, lift=4.0), LOG)

    assert all(plan.is_below_gate(row) for row in plan.off_policy)
    assert "evaluation.min_ess" in printed(plan)
    assert any(row.is_rough for row in plan.off_policy)


def test_lifts_beyond_reason_are_said_in_words():
    plan = answer(replace(ASKED, days=1, given=replace(ASKED.given, rate=0.001)), LOG)

    assert "over 1,000 %" in printed(plan)


def test_a_negative_number_of_days_is_refused():
    with pytest.raises(UsageError, match="--days"):
        answer(replace(ASKED, days=0), LOG)


def test_a_plan_for_money_is_of_orders_and_says_what_money_needs_beyond_them() -> None:
    said = printed(PLANS["money"])

    assert said.startswith(printed(PLANS["all"]).partition("This rests on:")[0])
    assert 'night.reward = "revenue" is money, and this plan is of orders' in said
    assert "about 1.4 times the rounds" in said
    assert "how many is not known" in printed(PLANS["money of visits"])
