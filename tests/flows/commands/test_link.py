"""`metacart link` from a shell: what it prints, and its exit statuses."""

import json
from pathlib import Path

import polars as pl
import pytest

from flows.commands.cli import execute
from flows.settings import read_settings
from flows.stages.night import NightResult
from flows.workspace import Workspace
from tests.flows.links.linked_shop import RUN_ID, config_of, linked_shop, publish_users, write_ids

USERS = ["ann-of-the-shop", "ben-of-the-shop", "kim-of-the-shop"]


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shop = linked_shop(tmp_path_factory.mktemp("linked") / "shop", USERS)
    publish_users(shop, USERS)
    return config_of(shop)


def linked(config: Path, ids: Path, *more: str) -> int:
    return execute(
        ["link", str(ids), "--out", str(ids.parent / "link.parquet"), "--config", str(config), *more]
    )


def test_the_terminal_says_how_many_are_known_and_names_nobody(config: Path, tmp_path: Path, capsys) -> None:
    assert linked(config, write_ids(tmp_path, [*USERS[:2], "ann-of-the-shop", "", "new-to-the-shop"])) == 0

    said = capsys.readouterr()
    assert f"Of 3 ids 2 are in the tables of {RUN_ID}, 2 in the warehouse; 1 is unknown.\n" in said.out
    assert "Of the 3 users in these tables 1 have no id in the file." in said.out
    assert "1 line without an id: left out." in said.out
    assert "1 line with an id that an earlier line has: once in the link." in said.out
    assert "personal data" in said.out
    assert "-the-shop" not in said.out + said.err


def test_json_is_one_object(config: Path, tmp_path: Path, capsys) -> None:
    assert linked(config, write_ids(tmp_path, [*USERS, "new-to-the-shop"]), "--json") == 0

    [line] = capsys.readouterr().out.splitlines()
    said = json.loads(line)
    assert said["link"] == str(tmp_path / "link.parquet")
    assert (said["n_ids"], said["n_in_night"], said["n_unknown"], said["night"]) == (4, 3, 1, RUN_ID)
    assert "-the-shop" not in line


def test_no_match_is_65_with_the_likely_causes(config: Path, tmp_path: Path, capsys) -> None:
    ids = write_ids(tmp_path, [user_id.upper() for user_id in USERS])
    assert linked(config, ids) == 65

    said = capsys.readouterr()
    assert "None of the 3 ids is known, and nothing was written" in said.err
    assert "letter case" in said.err
    assert "--column" in said.err
    assert "key" not in said.err
    assert "Of the unknown ids 3 would be known in lower or upper case" in said.out
    assert "-THE-SHOP" not in said.out + said.err
    assert not (tmp_path / "link.parquet").exists()

    assert linked(config, ids, "--json") == 65
    assert json.loads(capsys.readouterr().out)["link"] is None


def test_wrong_usage_is_64(config: Path, tmp_path: Path, capsys) -> None:
    ids = write_ids(tmp_path, USERS)
    assert execute(["link", str(ids), "--config", str(config)]) == 64
    assert "--out" in capsys.readouterr().err
    (tmp_path / "link.parquet").write_text("before")
    assert linked(config, ids) == 64
    assert "--overwrite" in capsys.readouterr().err
    assert linked(config, ids, "--overwrite") == 0


def test_a_missing_column_is_65(config: Path, tmp_path: Path, capsys) -> None:
    assert linked(config, write_ids(tmp_path, USERS), "--column", "visitor") == 65
    assert "no column visitor" in capsys.readouterr().err


def test_a_shop_in_use_is_75(config: Path, tmp_path: Path, capsys) -> None:
    with Workspace(read_settings(config)).locked():
        assert linked(config, write_ids(tmp_path, USERS)) == 75
    assert "Another run of shop is in progress" in capsys.readouterr().err


def test_every_user_of_a_real_night_is_found_by_the_ids_of_its_logs(
    small_config: Path, small_night: NightResult, tmp_path: Path, capsys
) -> None:
    logs = [
        pl.read_csv(path, infer_schema=False)
        for path in sorted(small_config.parent.rglob("*.csv"))
        if "user_id" in path.read_text(encoding="utf-8").partition("\n")[0].split(",")
    ]
    ids = tmp_path / "ids.parquet"
    pl.concat([log.select("user_id") for log in logs]).write_parquet(ids)

    assert linked(small_config, ids) == 0

    out = small_night.published.table("out_recommendations")
    link = pl.read_parquet(tmp_path / "link.parquet")
    assert set(out["user_key"]) <= set(link["user_key"])
    assert f"All {out['user_key'].n_unique():,} users in these tables have an id" in capsys.readouterr().out
