import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import dataframely as dy
import polars as pl
import pytest

from features.contracts.logs import LOGS
from features.simulator.settings import WorldSettings
from features.simulator.shop import NIGHTLY_LOGS, SimulatedShop, simulate
from features.sources import simulated

CLEAN = WorldSettings(users=1500, days=6, seed=2)
DIRTY = replace(CLEAN, dirt=0.2)
DIRTY_LOGS = [log for log in NIGHTLY_LOGS if log != "candidate_sets"]


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> SimulatedShop:
    return simulate(CLEAN, tmp_path_factory.mktemp("clean") / "shop")


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> SimulatedShop:
    return simulate(DIRTY, tmp_path_factory.mktemp("dirty") / "shop")


@pytest.fixture(scope="module")
def record(dirty: SimulatedShop) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((dirty.folder / "dirt.json").read_text())
    return content


def planted(record: Mapping[str, Any], log: str) -> list[dict[str, Any]]:
    return [file for file in record["files"] if file["file"].startswith(f"{log}/")]


def lines_of(path: Path) -> tuple[str, list[str]]:
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    return header, lines


def broken_lines(log: str, path: Path) -> list[str]:
    """The lines of a file that the log's contract refuses."""
    header, lines = lines_of(path)
    names = header.split(",")
    whole = [line for line in lines if line.count(",") == len(names) - 1]
    text = pl.DataFrame([line.split(",") for line in whole], dict.fromkeys(names, pl.String), orient="row")
    # a column that the simulated shop does not log is null
    absent = [pl.lit(None, pl.String).alias(name) for name in LOGS[log].column_names() if name not in names]
    columns = LOGS[log].columns().items()
    typed = text.with_columns(absent).select(_typed(name, column) for name, column in columns)
    good, _ = LOGS[log].filter(typed)
    refused = typed.with_row_index("place").join(good, on=typed.columns, how="anti", nulls_equal=True)[
        "place"
    ]
    return [*(Counter(lines) - Counter(whole)).elements(), *(whole[place] for place in refused)]


def _typed(name: str, column: dy.Column) -> pl.Expr:
    value = pl.col(name).replace("", None)
    match column:
        case dy.Datetime():
            return value.str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us", time_zone="UTC", strict=False)
        case dy.Date():
            return value.str.to_date(strict=False)
        case dy.Bool():
            return value.replace_strict({"true": True, "false": False}, default=None)
        case _:
            return value.cast(column.dtype, strict=False)


@pytest.mark.parametrize("log", DIRTY_LOGS)
def test_as_many_lines_break_the_contract_as_were_planted(
    dirty: SimulatedShop, record: dict[str, Any], log: str
) -> None:
    files = planted(record, log)
    assert len(files) == DIRTY.days
    for file in files:
        broken = broken_lines(log, dirty.folder / file["file"])
        assert len(broken) == sum(file["broken"].values())
    assert sum(sum(file["broken"].values()) for file in files) > 0


@pytest.mark.parametrize("log", DIRTY_LOGS)
def test_whoever_cleans_up_has_the_clean_shop_again(
    clean: SimulatedShop, dirty: SimulatedShop, record: dict[str, Any], log: str
) -> None:
    wanted, found = set(), Counter[str]()
    for night in DIRTY.nights:
        path = f"{log}/{night.isoformat()}.csv"
        wanted.update(lines_of(clean.folder / path)[1])
        found.update(lines_of(dirty.folder / path)[1])
        found.subtract(broken_lines(log, dirty.folder / path))
    seen = {line for line, count in found.items() if count > 0}
    never = record["never_arrived"].get(log, {})
    assert seen <= wanted
    assert len(wanted - seen) == never.get("late", 0)
    twice = sum(file["repeated"] + file["arrived_repeated"] for file in planted(record, log))
    assert sum(found.values()) - len(seen) == twice


def test_every_line_is_accounted_for(
    clean: SimulatedShop, dirty: SimulatedShop, record: dict[str, Any]
) -> None:
    for log in DIRTY_LOGS:
        files = planted(record, log)
        added = sum(
            file["repeated"]
            + file["arrived_late"]
            + file["arrived_repeated"]
            + sum(file["broken"].values())
            - file["sent_late"]
            for file in files
        )
        assert dirty.n_rows[log] == clean.n_rows[log] + added == sum(file["lines"] for file in files)
        for file in files:
            assert len(lines_of(dirty.folder / file["file"])[1]) == file["lines"]
        sent = sum(file["sent_late"] - file["arrived_late"] for file in files)
        assert sent == record["never_arrived"].get(log, {}).get("late", 0)


def test_a_quarter_of_the_share_is_late_and_at_most_three_days(
    dirty: SimulatedShop, record: dict[str, Any]
) -> None:
    for file in planted(record, "impressions"):
        day = Path(file["file"]).stem
        header, lines = lines_of(dirty.folder / file["file"])
        shown = header.split(",").index("shown_at")
        dates = [line.split(",")[shown][:10] for line in lines]
        assert max(dates) <= day
        late = sum(date < day for date in dates)
        assert file["arrived_late"] + file["arrived_repeated"] <= late
        ago = [
            (CLEAN.nights.index(night)) for night in CLEAN.nights if night.isoformat() in (min(dates), day)
        ]
        assert max(ago) - min(ago) <= 3
        # a quarter of the share of the day's own lines
        own = file["lines"] - late - file["repeated"] - sum(file["broken"].values()) + file["sent_late"]
        assert file["sent_late"] == pytest.approx(0.05 * own, rel=0.1)


def test_every_kind_of_broken_line_occurs(record: dict[str, Any]) -> None:
    kinds = Counter[str]()
    for file in record["files"]:
        kinds.update(file["broken"])
    assert kinds.keys() == {
        "propensity_zero",
        "propensity_above_one",
        "propensity_not_a_number",
        "time_without_zone",
        "unknown_word",
        "negative_money",
        "short_line",
    }


def test_dirt_is_the_same_each_time_and_more_nights_leave_the_earlier_ones_as_they_are(
    dirty: SimulatedShop, tmp_path: Path
) -> None:
    longer = simulate(replace(DIRTY, days=10), tmp_path / "longer")
    for log in NIGHTLY_LOGS:
        for night in DIRTY.nights:
            name = f"{log}/{night.isoformat()}.csv"
            assert (longer.folder / name).read_bytes() == (dirty.folder / name).read_bytes()


def test_candidate_sets_and_whole_logs_stay_clean(clean: SimulatedShop, dirty: SimulatedShop) -> None:
    for path in [*(clean.folder / "candidate_sets").iterdir(), clean.folder / "users.csv"]:
        assert path.read_bytes() == (dirty.folder / path.relative_to(clean.folder)).read_bytes()


def test_a_little_dirt_leaves_small_files_clean(tmp_path: Path) -> None:
    shop = simulate(replace(CLEAN, dirt=0.02, days=2), tmp_path / "shop")
    record = json.loads((shop.folder / "dirt.json").read_text())
    for file in record["files"]:
        assert sum(file["broken"].values()) <= 0.005 * file["lines"]


def test_one_stray_quote_only_where_it_is_asked_for(
    clean: SimulatedShop, dirty: SimulatedShop, tmp_path: Path
) -> None:
    assert not any('"' in path.read_text() for path in dirty.folder.glob("*/*.csv"))
    quoted = simulate(replace(CLEAN, days=2, stray_quote=True), tmp_path / "quoted")
    record = json.loads((quoted.folder / "dirt.json").read_text())
    [file] = [file for file in record["files"] if file["stray_quote_line"]]
    assert file["file"] == "events/2026-01-05.csv"
    lines = (quoted.folder / file["file"]).read_text().splitlines()
    assert [number for number, line in enumerate(lines, start=1) if '"' in line] == [file["stray_quote_line"]]
    for source in simulated.files(quoted.folder):
        if source.name not in (file["file"], "users.csv"):
            assert source.path.read_bytes() == (clean.folder / source.name).read_bytes()


def test_a_clean_shop_has_no_record(clean: SimulatedShop) -> None:
    assert not (clean.folder / "dirt.json").exists()


def test_a_dirty_shop_can_be_replaced(tmp_path: Path) -> None:
    simulate(replace(DIRTY, days=1), tmp_path / "shop")
    simulate(replace(CLEAN, days=1), tmp_path / "shop")
    assert not (tmp_path / "shop" / "dirt.json").exists()
