import hashlib
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import get_args

import polars as pl
import pytest

from features.errors import UsageError
from features.simulator import shop as shop_module
from features.simulator.settings import WorldName, WorldSettings
from features.simulator.shop import NIGHTLY_LOGS, simulate

SMALL = WorldSettings(users=40, days=3, seed=3)

FINGERPRINTS: dict[WorldName, str] = {
    "homogeneous": "12478b38a48243bf",
    "mild": "24f79b447fe032e1",
    "strong": "e34fe9ff2dfd0f6d",
    "nonlinear": "c16d45f2c1de5536",
    "drift": "0cc58361ebbd6982",
    "personal": "119b7b5bd36b6932",
    "shift": "40ed0c094f14aafd",
    "null": "3bd2ddefeec5833f",
}


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def fingerprint(folder: Path) -> str:
    """A hash of all files; propensities to nine decimals, as their last ones belong to the processor."""
    seen = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        text = path.read_text()
        if path.parent.name == "impressions":
            text = pl.read_csv(path).with_columns(pl.col("propensity").round(9)).write_csv()
        seen.update(f"{path.relative_to(folder).as_posix()}\n{text}".encode())
    return seen.hexdigest()[:16]


@pytest.mark.parametrize("world", get_args(WorldName))
def test_equal_settings_give_equal_bytes(tmp_path: Path, world: WorldName) -> None:
    settings = replace(SMALL, world=world)
    first, again = simulate(settings, tmp_path / "first"), simulate(settings, tmp_path / "again")
    assert content(first.folder) == content(again.folder)
    assert first.n_rows == again.n_rows


@pytest.mark.parametrize(("world", "expected"), FINGERPRINTS.items())
def test_logs_of_a_world_stay_what_they_were(tmp_path: Path, world: WorldName, expected: str) -> None:
    # another number here means that shops written before get other logs: raise WORLD_VERSION with it
    shop = simulate(WorldSettings(users=60, days=3, seed=1, world=world), tmp_path / "shop")
    assert fingerprint(shop.folder) == expected


def test_another_seed_gives_other_logs(tmp_path: Path) -> None:
    simulate(SMALL, tmp_path / "one")
    simulate(WorldSettings(users=40, days=3, seed=4), tmp_path / "other")
    one, other = content(tmp_path / "one"), content(tmp_path / "other")
    assert one.keys() == other.keys()
    always_filled = [name for name in one if not name.startswith(("candidate_sets", "events", "purchases"))]
    assert all(one[name] != other[name] for name in always_filled)


@pytest.mark.parametrize("world", ["strong", "personal"])
def test_more_days_leave_the_earlier_nights_as_they_are(tmp_path: Path, world: WorldName) -> None:
    simulate(replace(SMALL, world=world), tmp_path / "short")
    simulate(replace(SMALL, world=world, days=5), tmp_path / "long")
    short, long = content(tmp_path / "short"), content(tmp_path / "long")
    assert len(long) == len(short) + 2 * len(NIGHTLY_LOGS)
    same = short.keys() - {"world.json", "users.csv"}
    assert {name: long[name] for name in same} == {name: short[name] for name in same}
    assert long["users.csv"].startswith(short["users.csv"])
    assert len(long["users.csv"]) > len(short["users.csv"])


def test_one_file_for_each_log_and_night(tmp_path: Path) -> None:
    simulate(SMALL, tmp_path / "shop")
    nights = ["2026-01-05.csv", "2026-01-06.csv", "2026-01-07.csv"]
    for log in NIGHTLY_LOGS:
        assert sorted(path.name for path in (tmp_path / "shop" / log).iterdir()) == nights


@pytest.mark.parametrize(
    ("log", "moment"),
    [
        ("impressions", "shown_at"),
        ("events", "occurred_at"),
        ("purchases", "ordered_at"),
        ("ad_impressions", "shown_at"),
        ("ad_spend_daily", "date"),
    ],
)
def test_a_file_holds_its_own_day_in_order_of_time(tmp_path: Path, log: str, moment: str) -> None:
    simulate(WorldSettings(users=300, days=3), tmp_path / "shop")
    for path in (tmp_path / "shop" / log).iterdir():
        moments = pl.read_csv(path, infer_schema=False)[moment]
        assert moments.str.slice(0, 10).unique().to_list() == [path.stem]
        assert moments.is_sorted()


def test_a_shop_that_nobody_visits_still_has_its_files(tmp_path: Path) -> None:
    quiet = WorldSettings(users=1, days=2, items=2, slots=1, visits_per_user_day=1e-9, ads_per_user_day=1e-9)
    shop = simulate(quiet, tmp_path / "quiet")
    assert shop.n_rows["impressions"] == shop.n_rows["purchases"] == shop.n_rows["ad_impressions"] == 0
    assert (shop.folder / "events" / "2026-01-06.csv").read_text().startswith("event_id,occurred_at,")


def test_the_key_is_secret_by_mode_and_the_same_for_the_seed(tmp_path: Path) -> None:
    shop = simulate(SMALL, tmp_path / "shop")
    assert shop.key_file.stat().st_mode & 0o777 == 0o600
    assert len(bytes.fromhex(shop.key_file.read_text())) == 32
    other = simulate(WorldSettings(users=40, days=3, seed=4), tmp_path / "other")
    assert other.key_file.read_text() != shop.key_file.read_text()


def test_an_older_shop_is_replaced_whole(tmp_path: Path) -> None:
    simulate(SMALL, tmp_path / "shop")
    simulate(WorldSettings(users=40, days=1, first_date=date(2026, 3, 1)), tmp_path / "shop")
    assert [path.name for path in (tmp_path / "shop" / "events").iterdir()] == ["2026-03-01.csv"]
    assert [path.name for path in tmp_path.iterdir()] == ["shop"]


def test_a_configuration_beside_the_logs_stays(tmp_path: Path) -> None:
    simulate(SMALL, tmp_path / "shop")
    (tmp_path / "shop" / "metacart.toml").write_text("seed = 1")
    simulate(WorldSettings(users=40, days=1), tmp_path / "shop")
    assert (tmp_path / "shop" / "metacart.toml").read_text() == "seed = 1"


def test_a_shop_says_how_much_there_is_of_it(tmp_path: Path) -> None:
    assert str(simulate(SMALL, tmp_path / "shop")).startswith("30 items, 35 users, ")


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    assert simulate(SMALL, tmp_path).world_file.is_file()


@pytest.mark.parametrize("name", ["notes.txt", "warehouse.duckdb"])
@pytest.mark.parametrize("is_shop", [True, False])
def test_a_folder_with_anything_else_is_left_alone(tmp_path: Path, name: str, is_shop: bool) -> None:
    if is_shop:
        simulate(SMALL, tmp_path)
    (tmp_path / name).write_text("mine")
    before = content(tmp_path)
    with pytest.raises(UsageError, match=name):
        simulate(SMALL, tmp_path)
    assert content(tmp_path) == before


def test_a_folder_of_a_real_shop_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "impressions").mkdir()
    with pytest.raises(UsageError, match=r"no world\.json"):
        simulate(SMALL, tmp_path)


def test_a_file_is_not_a_place_for_a_shop(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match="not a folder"):
        simulate(SMALL, tmp_path / "file")


def test_a_failure_leaves_the_old_shop_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    simulate(SMALL, tmp_path / "shop")
    before = content(tmp_path / "shop")

    def full_disk(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(shop_module, "simulate_ad_night", full_disk)
    with pytest.raises(OSError, match="no space left"):
        simulate(SMALL, tmp_path / "shop")
    assert content(tmp_path / "shop") == before
    assert [path.name for path in tmp_path.iterdir()] == ["shop"]
