"""Where lists serve that nothing proves, and where nothing is decided: what is said of it, and refused."""

import json
import shutil
from datetime import date
from pathlib import Path

import pytest

from flows.commands.cli import execute
from flows.registry.listing import list_champions
from flows.registry.newest_night import newest_night, serving_lists, without_judgement
from flows.settings import read_settings
from flows.stages.night import run_night
from flows.workspace import Workspace
from tests.flows.click_shop import click_shop

FIRST = date(2026, 1, 5)


@pytest.fixture(scope="module")
def after_a_night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clicks") / "shop"
    run_night(click_shop(folder).settings, FIRST)
    return folder


@pytest.fixture
def config(after_a_night: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(after_a_night, tmp_path / "shop")) / "metacart.toml"


def test_the_lists_of_the_newest_night_are_named_in_place_of_the_shops_own_policy(config, capsys) -> None:
    shop = Workspace(read_settings(config))
    [of_area] = list_champions(shop)
    version = f"popularity-{newest_night(shop).run_id}"
    assert (of_area.area, of_area.own_serves, of_area.lists) == ("recommendation", False, (version,))
    assert execute(["champions", "--config", str(config)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "No night has elected a policy yet.",
        "recommendation",
        f"  lists     {version}: lists by popularity, which nothing proves, serve after the night of {FIRST}",
    ]
    assert execute(["champions", "--json", "--config", str(config)]) == 0
    assert json.loads(capsys.readouterr().out)["recommendation"]["lists"] == [version]


def test_lists_whose_table_is_gone_are_said_to_serve_all_the_same(config, capsys) -> None:
    shop = Workspace(read_settings(config))
    (newest_night(shop).path / "out_recommendations.parquet").unlink()
    assert serving_lists(newest_night(shop)) == {"recommendation": ()}
    assert execute(["champions", "--config", str(config)]) == 0
    assert f"lists, which nothing proves, serve after the night of {FIRST}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["pin", "--area", "recommendation"], "and lists serve without proof. The logs hold what users did"),
        (["rollback", "logging", "--area", "recommendation"], "Nothing can be rolled back in recommendation"),
        (["pin", "--area", "advertising"], "judged no policy there. The logs hold no ad impressions up to"),
    ],
)
def test_a_decision_that_would_change_nothing_is_refused(config, capsys, asked, said) -> None:
    assert execute([*asked, "--config", str(config)]) == 64
    error = capsys.readouterr().err
    assert said in error and "nothing was changed" in error
    assert not list(config.parent.glob("data/registry/*/decisions.jsonl"))


def test_what_was_judged_is_not_known_where_the_table_of_verdicts_is_gone(config) -> None:
    night = newest_night(Workspace(read_settings(config)))
    assert without_judgement(night).keys() == {"recommendation", "advertising"}
    manifest = json.loads((night.path / "manifest.json").read_text())
    manifest["tables"]["out_verdicts"] = {}
    (night.path / "manifest.json").write_text(json.dumps(manifest))
    assert without_judgement(newest_night(Workspace(read_settings(config)))) == {}
