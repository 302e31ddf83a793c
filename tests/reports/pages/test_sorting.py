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
document.title = [...table.tBodies[0].rows].map((row) => row.cells[head].dataset.value).join(" ");
</script></body>"""


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs a browser called chromium")
def test_a_click_on_a_head_sorts_by_number(tmp_path: Path) -> None:
    sample = demo_night()
    page = report_html(sample.tables, sample.manifest)
    unguarded = re.sub(r"<meta http-equiv[^>]*>", "", page).replace("</body>", CLICK)
    path = tmp_path / "report.html"
    path.write_text(unguarded, encoding="utf-8")

    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    command += ["--no-first-run", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", path.as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout

    changes = [float(number) for number in re.findall(r"<title>(.*?)</title>", dom)[0].split()]
    assert len(changes) == 24
    assert changes == sorted(changes)
    assert 'aria-sort="ascending"' in dom
