"""The flow run's page in Markdown: what it says, and that a shop's own texts stay text."""

from dataclasses import replace
from typing import Any

import pytest

from features.contracts.findings import finding
from flows.prefect_flows import night_page
from flows.prefect_flows.night_page import night_markdown, plain
from flows.prefect_flows.report_links import REPORTS, ReportLinks, report_url
from flows.settings import read_settings
from flows.workspace import Workspace
from reports.wording.sentences import say


def markdown(small_night, night=None, url=None, **changes) -> str:
    rows = [row | changes for row in small_night.verdicts.to_dicts()]
    return night_markdown(night or small_night.night, small_night.published, rows, url)


def test_verdicts_and_budget_are_on_the_page(small_night):
    page = markdown(small_night, url="http://127.0.0.1:4201/small/run/report/index.html")
    whole = small_night.verdicts.filter(segment_id="all")
    for row in whole.iter_rows(named=True):
        assert f"| {row['domain']} | {row['verdict']} |" in page
    assert page.count("\n| ") == whole.height + 1
    totals = small_night.published.table("out_budget_totals").filter(scope="shop")
    assert f"{totals['daily_spend_current_cents'].item() / 100:,.2f} EUR" in page
    assert "[Open the report](http://127.0.0.1:4201/small/run/report/index.html)" in page


def test_what_is_undecided_has_its_reason(small_night):
    assert "Nothing decided" not in markdown(small_night)
    why = finding("no_rows", "budget", as_of="2026-01-14")
    page = markdown(small_night, replace(small_night.night, undecided={"budget": why}))
    assert f"## Nothing decided\n\n- **budget**: {plain(say([why]))}" in page


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>", "[x](javascript:alert(1))", "a | b", "`x`", "*b*", "a\n# b"],
)
def test_texts_of_a_shop_stay_text(small_night, text):
    page = markdown(small_night, candidate=text)
    assert text not in page
    assert plain(text) in page
    assert "<script" not in page


def test_the_link_is_for_shops_that_the_server_shows(small_config, small_night, monkeypatch):
    workspace = Workspace(read_settings(small_config))
    monkeypatch.delenv(REPORTS, raising=False)
    assert report_url(workspace, "run") is None
    for shops, url in [
        ({"small": workspace.published}, "http://127.0.0.1:1/small/run/report/index.html"),
        ({"small": workspace.published.parent}, None),
        ({"other": workspace.published}, None),
    ]:
        for name, value in ReportLinks("http://127.0.0.1:1", shops).variable.items():
            monkeypatch.setenv(name, value)
        assert report_url(workspace, "run") == url


def test_the_page_links_the_folder_that_was_published(small_config, small_night, monkeypatch, tmp_path):
    """Other content of a run is in a second folder, and the first keeps the old report."""
    workspace = Workspace(read_settings(small_config))
    shown: list[Any] = []
    for name in ("create_table_artifact", "create_markdown_artifact"):
        monkeypatch.setattr(night_page, name, lambda *_what, **_how: None)
    monkeypatch.setattr(night_page, "create_link_artifact", lambda url, **_how: shown.append(url))
    for name, value in ReportLinks("http://127.0.0.1:1", {"small": workspace.published}).variable.items():
        monkeypatch.setenv(name, value)
    second = tmp_path / f"{small_night.night.run_id}.2"
    second.symlink_to(small_night.published.folder)
    night_page.show_night(workspace, small_night.night, replace(small_night.published, folder=second))
    assert shown == [f"http://127.0.0.1:1/small/{second.name}/report/index.html"]
