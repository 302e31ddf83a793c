"""What each stage reports of itself, of the small shop's night."""

import json
import shutil

import polars as pl
import pytest

from flows.night_folder import NightFolder
from flows.settings import read_settings
from flows.stage_log import json_line, report_of, reported
from flows.workspace import Workspace


@pytest.fixture
def workspace(small_config, small_night) -> Workspace:
    found = Workspace(read_settings(small_config))
    # Other tests look at other nights of the same shop.
    found.remember(small_night.night)
    return found


def test_every_table_is_reported_by_one_stage_and_by_publish(workspace, small_night):
    by_stage = {stage: report_of(workspace, stage, 1.0).rows for stage in ("learn", "evaluate", "decide")}
    by_stage["ingest"] = {
        name: n for name, n in report_of(workspace, "ingest", 1.0).rows.items() if name.startswith("out_")
    }
    names = [name for rows in by_stage.values() for name in rows]
    assert sorted(names) == sorted(small_night.published.tables)
    assert set(report_of(workspace, "publish", 1.0).rows) == set(names)
    assert by_stage["evaluate"]["out_verdicts"] == small_night.verdicts.height
    assert by_stage["decide"]["out_recommendations"] > 0


def test_rows_are_counted_without_reading_them(workspace, small_night):
    folder = workspace.night_folder(small_night.night.run_id)
    for name in folder.table_names:
        assert folder.n_rows(name) == folder.table(name).height


def test_a_stage_that_is_not_done_has_no_tables(workspace, small_night, tmp_path):
    folder = NightFolder(tmp_path / small_night.night.run_id)
    shutil.copytree(workspace.night_folder(folder.run_id).path, folder.path)
    assert "out_verdicts" in folder.tables_of("evaluate")
    (folder.path / "evaluate.done").unlink()
    assert folder.tables_of("evaluate") == []


def test_ingest_reports_lines(workspace, small_night):
    rows = report_of(workspace, "ingest", 1.0).rows
    quality = small_night.published.table("out_data_quality").filter(pl.col("rule").str.starts_with("loaded"))
    assert rows["lines loaded"] + rows["lines rejected"] == quality["n_rows"].sum()


def test_evaluate_reports_verdicts(workspace, small_night):
    whole = small_night.verdicts.filter(segment_id="all")
    report = report_of(workspace, "evaluate", 2.0)
    assert report.verdicts == dict(whole.select("domain", "verdict").iter_rows())
    assert all(f"{domain} {verdict}" in report.line for domain, verdict in report.verdicts.items())
    assert json.loads(report.json_line)["verdicts"] == report.verdicts
    assert report.peak_memory_mb > 10


def test_a_stage_that_fails_is_not_reported(workspace):
    reports = []
    with pytest.raises(KeyError), reported(workspace, "learn", reports.append):
        raise KeyError
    assert reports == []


def test_a_json_line_is_one_line():
    line = json_line("stage", text="a\nb")
    assert "\n" not in line
    assert json.loads(line)["text"] == "a\nb"
