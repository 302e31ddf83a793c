"""Published nights, and the files between the stages, when somebody or something changes them."""

import hashlib
import os
import shutil
import stat
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from features.errors import UsageError
from features.machine_faults import machine_fault
from features.warehouse.store import open_store
from flows.night_folder import NightFolder
from flows.settings import read_settings
from flows.stage_events import NightEvent, StageSkipped
from flows.stages import publish as publish_module
from flows.stages.decide import decide
from flows.stages.ingest import ingest
from flows.stages.night import NightResult, run_night
from flows.stages.prune import plan, prune
from flows.stages.publish import formula_safe, publish, rows_sha256
from flows.stages.unpublish import unpublish
from flows.stages.verify import verify
from flows.workspace import Workspace
from tests.flows.spend_shop import FIRST, spend_shop, write_events

DAY = timedelta(days=1)
LAST = FIRST + 59 * DAY


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    return spend_shop(tmp_path / "shop")


def night_of(shop: Workspace, as_of=None) -> NightResult:
    return run_night(shop.settings, as_of)


def faults(shop: Workspace) -> dict[str, dict[str, str]]:
    return {found.folder.name: dict(found.faults) for found in verify(shop) if found.faults}


def test_every_night_is_verified(shop):
    first, second = night_of(shop, LAST - DAY), night_of(shop)
    assert {found.folder.name: dict(found.faults) for found in verify(shop)} == {
        first.night.run_id: {},
        second.night.run_id: {},
    }
    assert all(found.n_files > 5 for found in verify(shop))


@pytest.mark.parametrize(
    "name", ["out_budget_allocation.csv", "report/index.html", "out_data_quality.parquet"]
)
def test_a_night_that_was_tampered_with_is_named_and_mended_by_a_rerun(shop, name):
    folder = night_of(shop).published.folder
    before = (folder / name).read_bytes()
    (folder / name).write_bytes(before[:-7])
    assert faults(shop) == {folder.name: {name: "changed"}}
    assert night_of(shop).published.folder == folder
    assert (folder / name).read_bytes() == before
    assert faults(shop) == {}


def test_a_table_that_was_forged_with_its_checksum_is_still_found(shop):
    folder = night_of(shop).published.folder
    table = folder / "out_budget_allocation.parquet"
    forged = pl.read_parquet(table).with_columns(pl.col("spend_recommended_cents") + 1)
    forged.write_parquet(table)
    shop.nights.of(folder.name)[0].write_sums()
    assert faults(shop) == {folder.name: {table.name: "changed"}}


def test_a_lost_pointer_is_named_and_written_by_the_next_night(shop):
    result = night_of(shop)
    shop.nights.pointer.unlink()
    assert faults(shop) == {"shop": {"current.json": "missing"}}
    night_of(shop)
    assert shop.nights.current().run_id == result.night.run_id


def test_a_pointer_to_nights_that_are_all_gone_is_named(shop):
    folder = night_of(shop).published.folder
    shutil.rmtree(folder)
    assert faults(shop) == {"shop": {"current.json": "changed"}}
    assert night_of(shop).published.folder == folder
    assert faults(shop) == {}


def test_a_folder_in_the_place_of_the_pointer_is_a_fault_of_the_machine(shop):
    night_of(shop)
    shop.nights.pointer.unlink()
    shop.nights.pointer.mkdir()
    assert faults(shop) == {"shop": {"current.json": "changed"}}
    with pytest.raises(IsADirectoryError) as found:
        night_of(shop)
    assert "Move it away" in str(machine_fault(found.value))


def test_only_the_group_reads_what_is_published_and_only_the_owner_the_rest(shop):
    """Whatever the process's umask was, and whatever modes an earlier version has left."""
    for name in ("warehouse", "work/shop"):
        (shop.settings.paths.data / name).mkdir(parents=True, mode=0o755)
    before = os.umask(0o000)
    try:
        night_of(shop)
    finally:
        os.umask(before)
    data = shop.settings.paths.data
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in data.rglob("*")}
    published = {path: mode for path, mode in modes.items() if data / "published" in path.parents}
    assert {mode for path, mode in published.items() if path.is_file()} == {0o640}
    assert {mode for path, mode in published.items() if path.is_dir()} == {0o750}
    assert modes[data / "published"] == 0o750
    private = [modes[path] for path in modes.keys() - published.keys() - {data / "published"}]
    assert all(mode & 0o077 == 0 for mode in private)


@pytest.mark.parametrize(
    ("text", "is_safe"),
    [
        ("=1+1", False),
        (" =1+1", False),
        ("\n=1+1", False),
        ("a\r\n=1+1", False),
        ("\uff1d1+1", False),
        ("\u200b@SUM(A1)", False),
        ("-2+3", False),
        ("\tx", False),
        ("red shoe", True),
        ("a=b", True),
        ("shoe-40", True),
        (None, True),
    ],
)
def test_no_cell_of_a_csv_is_a_formula(text, is_safe):
    [cell] = formula_safe(pl.DataFrame({"item": [text]}))["item"]
    assert cell == (text if is_safe else f"'{text}")


# The hand-over from each stage to the next: its files, as an accident or a stranger leaves them.
@pytest.mark.parametrize("how", ["deleted", "changed"])
@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("night.json", "ingest"),
        ("out_data_quality.parquet", "ingest"),
        ("notes_learn.json", "learn"),
        ("notes_evaluate.json", "evaluate"),
        ("out_budget_allocation.parquet", "decide"),
        ("out_budget_totals.parquet", "decide"),
    ],
)
def test_a_file_that_changed_after_its_stage_is_not_published(shop, name, stage, how):
    result = night_of(shop)
    path = shop.night_folder(result.night.run_id).path / name
    if how == "deleted":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes() + b" ")
    before = {file: file.stat().st_mtime_ns for file in shop.published.rglob("*")}
    said = "missing" if how == "deleted" else "changed"
    with pytest.raises(UsageError, match=rf"{name} is {said} since `metacart {stage}` wrote it"):
        publish(shop, result.night)
    assert {file: file.stat().st_mtime_ns for file in shop.published.rglob("*")} == before


def test_a_night_is_not_decided_with_another_configuration_than_it_was_ingested_with(shop, tmp_path):
    night_of(shop)
    config = tmp_path / "shop" / "metacart.toml"
    config.write_text(config.read_text().replace("seed = 0", "seed = 1"))
    changed = Workspace(read_settings(config))
    with pytest.raises(UsageError, match="The configuration of shop has changed"):
        decide(changed, changed.recall())


def test_retention_is_no_other_configuration(shop, tmp_path):
    night_of(shop)
    config = tmp_path / "shop" / "metacart.toml"
    config.write_text(config.read_text().replace("work_nights = 7", "work_nights = 3"))
    changed = Workspace(read_settings(config))
    decide(changed, changed.recall())


def test_an_interrupted_night_goes_on_after_its_last_stage(shop):
    folder = shop.night_folder(night_of(shop).night.run_id)
    (folder.path / "publish.done").unlink()
    (folder.path / "decide.done").unlink()
    events: list[NightEvent] = []
    result = run_night(shop.settings, None, events.append)
    assert [event.stage for event in events if isinstance(event, StageSkipped)] == ["learn", "evaluate"]
    assert set(result.seconds) == {"ingest", "decide", "publish"}


def test_other_code_does_not_go_on_with_files_of_an_interrupted_night(shop, monkeypatch):
    folder = shop.night_folder(night_of(shop).night.run_id)
    (folder.path / "publish.done").unlink()
    assert folder.stages_to_skip() == {"learn", "evaluate", "decide"}
    monkeypatch.setattr("flows.night_folder.code_sha256", lambda: "of other code")
    assert folder.stages_to_skip() == frozenset()


def test_a_night_that_is_taken_back_leaves_nothing_and_opens_its_days(shop, tmp_path):
    first = night_of(shop, LAST - 8 * DAY)
    second = night_of(shop, LAST)
    write_events(tmp_path / "shop", "late", LAST - 5 * DAY, LAST)
    night_of(shop)
    assert event_days(shop) == [LAST, LAST]

    for night in shop.nights.all():
        if night.as_of == LAST:
            taken_back = unpublish(shop, night.run_id)

    assert taken_back.current == first.night.run_id == shop.nights.current().run_id
    assert not second.published.folder.exists()
    with open_store(shop.warehouse) as connection:
        runs = connection.sql("SELECT DISTINCT run_id FROM out_budget_allocation").fetchall()
    assert runs == [(first.night.run_id,)]
    ingest(shop, None)
    assert event_days(shop) == [LAST - 5 * DAY, LAST, LAST]


def test_a_night_that_is_not_there_is_not_taken_back(shop):
    night_of(shop)
    with pytest.raises(UsageError, match="has no night '2030-01-01-00000000'"):
        unpublish(shop, "2030-01-01-00000000")


def event_days(shop: Workspace):
    with open_store(shop.warehouse) as connection:
        found = connection.sql("SELECT CAST(occurred_at AS DATE) FROM raw_events ORDER BY 1").fetchall()
    return [day for (day,) in found]


@pytest.mark.slow
def test_work_and_nights_beyond_the_retention_leave(tmp_path):
    shop = spend_shop(tmp_path / "shop", "work_nights = 2\npublished_nights = 3")
    nights = [night_of(shop, LAST - n * DAY) for n in (4, 3, 2, 1, 0)]
    # a folder that is not metacart's
    (shop.work / "notes").mkdir()
    run_ids = [result.night.run_id for result in nights]
    assert [night.run_id for night in shop.nights.all()] == run_ids[-3:]
    assert {folder.run_id for folder in shop.night_folders} == {*run_ids[-2:], "notes"}
    with open_store(shop.warehouse) as connection:
        found = connection.sql("SELECT DISTINCT run_id FROM out_budget_allocation ORDER BY 1").fetchall()
    assert [run_id for (run_id,) in found] == sorted(run_ids[-3:])


def test_a_look_back_never_removes_the_current_night(tmp_path):
    shop = spend_shop(tmp_path / "shop", "work_nights = 1\npublished_nights = 1")
    current = night_of(shop, LAST)
    night_of(shop, LAST - 10 * DAY)
    assert shop.nights.current().run_id == current.night.run_id
    assert isinstance(shop.latest, NightFolder)


def test_old_rejected_lines_leave_and_their_numbers_stay(tmp_path):
    shop = spend_shop(tmp_path / "shop", "quarantine_days = 30")
    (tmp_path / "shop" / "spend-b.csv").write_text("day,cents,revenue\nnever,1,2\n2026-03-01,1200,3100\n")
    night_of(shop)
    assert quarantine(shop) == (1, 1)
    with open_store(shop.warehouse) as connection:
        connection.execute("UPDATE load_manifest SET received_at = received_at - INTERVAL 29 DAY")
    night_of(shop)
    assert quarantine(shop) == (1, 1)
    with open_store(shop.warehouse) as connection:
        connection.execute("UPDATE load_manifest SET received_at = received_at - INTERVAL 1 DAY")
    night_of(shop)
    assert quarantine(shop) == (0, 1)


def quarantine(shop: Workspace) -> tuple[int, int]:
    """Return the number of lines in quarantine, and what the manifest says it is."""
    with open_store(shop.warehouse) as connection:
        [found] = connection.sql(
            "SELECT (SELECT count(*) FROM rejected_lines), (SELECT sum(n_rejected) FROM load_manifest)"
        ).fetchall()
    return int(found[0]), int(found[1])


def test_a_warehouse_with_much_free_space_is_written_anew_without_it(shop, monkeypatch):
    night_of(shop)
    with open_store(shop.warehouse) as connection:
        connection.execute("CREATE TABLE ballast AS SELECT random() AS n FROM range(500_000)")
        connection.execute("CHECKPOINT")
        connection.execute("DROP TABLE ballast")
        before = connection.sql("SELECT * FROM raw_ad_spend_daily ORDER BY ALL").fetchall()
    outdated = plan(shop)
    assert not outdated.shrinks  # 4 MB are not worth it
    monkeypatch.setattr("flows.stages.prune.FEWEST_FREE_BYTES", 2**20)
    outdated = plan(shop)
    assert outdated.shrinks
    prune(shop, outdated)
    assert shop.warehouse.stat().st_size < outdated.n_bytes - outdated.n_free_bytes / 2
    with open_store(shop.warehouse) as connection:
        assert connection.sql("SELECT * FROM raw_ad_spend_daily ORDER BY ALL").fetchall() == before


@pytest.mark.parametrize("n_rows", [0, 1, 7, 10])
def test_rows_have_one_hash_however_many_are_read_at_once(monkeypatch, n_rows):
    names = ["a,b", 'x"y', "line\nbreak", "", "ß"]
    rows = pl.DataFrame({"name": names * 2, "value": [0.1, -1e300] * 5}).head(n_rows)
    whole = rows_sha256("out_data_quality", rows)
    assert whole == hashlib.sha256(rows.write_csv().encode()).hexdigest()
    monkeypatch.setattr(publish_module, "ROWS_AT_ONCE", 3)
    assert rows_sha256("out_data_quality", rows) == whole
