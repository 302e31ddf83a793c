"""The sort script in a real browser; slow because a browser starts."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from reports.pages import report_html
from tests.reports.sample_nights import demo_night

CHROMIUM = shutil.which("chromium")
CLICK = """<script>
const table = [...document.querySelectorAll("table")].find((t) => t.caption.textContent.includes("Cells"));
const head = [...table.tHead.rows[0].cells].findIndex((cell) => cell.textContent === "Change");
table.tHead.rows[0].cells[head].querySelector("button").click();
const rows = [...table.tBodies[1].rows];
const pairs = rows.filter((row, place) => place % 2 === 1 && row.className === "why").length;
const changes = rows.filter((row) => row.className !== "why").map((row) => row.cells[head].dataset.value);
document.title = [pairs, table.tBodies[0].textContent.includes("All cells"), ...changes].join(" ");
</script></body>"""


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs a browser called chromium")
def test_a_click_on_a_head_sorts_rows_with_the_line_below_each_and_leaves_the_total_on_top(
    tmp_path: Path,
) -> None:
    sample = demo_night()
    page = report_html(sample.tables, sample.manifest)
    unguarded = re.sub(r"<meta http-equiv[^>]*>", "", page).replace("</body>", CLICK)
    path = tmp_path / "report.html"
    path.write_text(unguarded, encoding="utf-8")

    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    command += ["--no-first-run", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", path.as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout

    n_pairs, has_total, *numbers = re.findall(r"<title>(.*?)</title>", dom)[0].split()
    changes = [float(number) for number in numbers]
    assert (n_pairs, has_total, len(changes)) == ("15", "true", 15)
    assert changes == sorted(changes)
    assert 'aria-sort="ascending"' in dom
