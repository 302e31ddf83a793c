"""The words and tables of a tiny night, as a person reviewed them.

Style, script and charts are cut out: they have tests of their own, and charts depend on the fonts of the
machine. Refresh with `METACART_REFRESH_GOLDEN=1 pytest tests/reports/pages/test_golden_report.py`, then read
the difference.
"""

import os
import re
from pathlib import Path

from reports.pages import report_html
from tests.reports.sample_nights import tiny_night

GOLDEN = Path(__file__).parents[2] / "golden" / "tiny_night_report.html"


def words_and_tables(page: str) -> str:
    body = page[page.index("<body>") : page.index("<script>")]
    without_charts = re.sub(
        r'(<div class="scroll" tabindex="0" role="img"[^>]*>)<svg.*?</svg>',
        r"\1(chart)",
        body,
        flags=re.DOTALL,
    )
    return re.sub(r"\n\s*\n+", "\n", without_charts)


def test_the_tiny_night_reads_as_reviewed() -> None:
    sample = tiny_night()
    found = words_and_tables(report_html(sample.tables, sample.manifest))
    if os.environ.get("METACART_REFRESH_GOLDEN"):
        GOLDEN.write_text(found, encoding="utf-8")

    assert found == GOLDEN.read_text(encoding="utf-8")
