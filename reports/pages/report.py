"""The report: four pages on one HTML file that needs nothing beside it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from reports import wording
from reports.pages.data_quality import data_quality
from reports.pages.decisions import decisions
from reports.pages.evaluation import evaluation
from reports.pages.overview import overview
from reports.render import render
from reports.summaries.night import Night, night, read_night
from reports.summaries.rewards import reward_formats


def write_report(run_folder: Path) -> Path:
    """Write `report/index.html` into the folder of a published night and return its path.

    Reads `out_*.parquet` and `manifest.json` there. Raises MetacartError where the folder does not exist
    or a table lacks columns of its contract; a missing table is named on the page instead.
    """
    page = _html(read_night(run_folder))
    path = run_folder / "report" / "index.html"
    path.parent.mkdir(exist_ok=True)
    path.write_text(page, encoding="utf-8", newline="\n")
    return path


def report_html(tables: Mapping[str, pl.DataFrame], manifest: Mapping[str, Any]) -> str:
    """Return the report of these tables (name → rows) as HTML; equal inputs give equal text."""
    return _html(night(tables, manifest))


def _html(one_night: Night) -> str:
    formats, absent = reward_formats(one_night), _absent(one_night)
    return render(
        "report.html.j2",
        manifest=one_night.manifest,
        titles=wording.TITLES,
        questions=wording.QUESTIONS,
        glossary=wording.GLOSSARY,
        wording=wording,
        absent=absent,
        overview=overview(one_night, formats),
        evaluation=evaluation(one_night, formats),
        decisions=decisions(one_night, formats, absent),
        data_quality=data_quality(one_night),
    )


def _absent(one_night: Night) -> dict[str, str]:
    missing = {name: wording.absent_table(name, is_empty=False) for name in one_night.missing()}
    return missing | {name: wording.absent_table(name, is_empty=True) for name in one_night.empty()}
