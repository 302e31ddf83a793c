"""The report: four pages on one HTML file that needs nothing beside it."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from reports.pages.data_quality import data_quality
from reports.pages.decisions import decisions
from reports.pages.evaluation import evaluation
from reports.pages.overview import overview
from reports.render import render
from reports.summaries.night import Manifest, Night, night, read_night
from reports.summaries.rewards import reward_formats
from reports.wording.catalog import Catalog
from reports.wording.language import LANGUAGE
from reports.wording.overview import absent_table

SECTIONS = ("overview", "evaluation", "decisions", "data_quality")


def write_report(run_folder: Path) -> Path:
    """Write `report/index.html` into the folder of a published night and return its path.

    Reads `out_*.parquet` and `manifest.json` there. Raises MetacartError where the folder does not exist
    or a table lacks columns of its contract; a missing table is named on the page instead.
    """
    page = _html(read_night(run_folder), LANGUAGE)
    path = run_folder / "report" / "index.html"
    path.parent.mkdir(exist_ok=True)
    path.write_text(page, encoding="utf-8", newline="\n")
    return path


def report_html(
    tables: Mapping[str, pl.DataFrame], manifest: Mapping[str, Any], *, catalog: Catalog = LANGUAGE
) -> str:
    """Return the report of these tables (name → rows) as HTML; equal inputs give equal text."""
    return _html(night(tables, manifest), catalog)


def _html(one_night: Night, catalog: Catalog) -> str:
    formats, absent = reward_formats(one_night), _absent(one_night, catalog)
    return render(
        "report.html.j2",
        catalog,
        run=one_night.manifest.run_id,
        shop=one_night.manifest.shop or catalog.text("page.unknown_shop"),
        night_of=_night_of(one_night.manifest, catalog),
        sections=SECTIONS,
        absent=absent,
        overview=overview(one_night, formats, catalog),
        evaluation=evaluation(one_night, formats, catalog),
        decisions=decisions(one_night, formats, absent, catalog),
        data_quality=data_quality(one_night, catalog),
    )


def _night_of(manifest: Manifest, catalog: Catalog) -> str:
    if not manifest.as_of:
        return catalog.text("page.unknown_date")
    return catalog.numbers.day(date.fromisoformat(manifest.as_of[:10]))


def _absent(one_night: Night, catalog: Catalog) -> dict[str, str]:
    missing = {name: absent_table(name, catalog, is_empty=False) for name in one_night.missing()}
    return missing | {name: absent_table(name, catalog, is_empty=True) for name in one_night.empty()}
