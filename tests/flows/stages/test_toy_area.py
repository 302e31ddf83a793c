"""A fourth area of decision, with its own log, actions and table, runs a whole night.

It is six files in toy_area/, and one more value in the list:

1. mail_contracts.py: the contract of its log, and of its table
2. sql/stg_mails.sql: which lines of the log count
3. sql/int_rounds_mail.sql: a row per decision, with its reward
4. mail_area.py: its entry
5. mail_decisions.py: `decide`
6. mail_report.py: its part of the report

The list is extended in a process of its own, before anything else is imported: what is derived from it is
derived as in the product.
"""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest

from tests.flows.invented_exports import campaign_export

ROOT = Path(__file__).parents[3]
FILES = Path(__file__).parent / "toy_area"

WITH_MAIL = """
import features.areas
from tests.flows.stages.toy_area.mail_area import MAIL
features.areas.AREAS += (MAIL,)
from flows.commands.cli import main
main()
"""

SUBJECTS = ("news", "offer", "thanks")
# Probability that a mail is opened, by whether its user is new: the best subject line is another one.
OPENED = {"new": (0.1, 0.4, 0.1), "loyal": (0.1, 0.1, 0.4)}
DAYS, MAILS_A_DAY, USERS = 24, 250, 500

CONFIG = """
[shop]
name = "mails"
source = "files"
logs = "."
[paths]
data = "data"
[night]
attribution_hours = 24
[segments]
by = ["kind"]
min_rounds = 300
[learning]
learners = ["segment_item_rates", "popularity"]
max_steps = 10
[evaluation]
resamples = 100

[[files]]
path = "mails.csv"
[files.mails]
columns.mail_id = "id"
columns.sent_at = "sent"
columns.user_id = "customer"
columns.subject_id = "subject"
columns.is_opened = "opened"
columns.context = "context"
constants.propensity = 0.333333333333
"""


@dataclass(frozen=True)
class MailNight:
    """What the command printed as its last line, and where the warehouse is."""

    result: dict[str, Any]
    warehouse: Path

    def table(self, name: str) -> pl.DataFrame:
        return pl.read_parquet(self.result["tables"][name])

    @property
    def report(self) -> str:
        return unescape(Path(self.result["report"]).read_text(encoding="utf-8"))


def log_of_mails() -> pl.DataFrame:
    chance = np.random.default_rng(5)
    n = DAYS * MAILS_A_DAY
    user, subject = chance.integers(0, USERS, n), chance.integers(0, len(SUBJECTS), n)
    kind = np.where(user % 2, "new", "loyal")
    rates = np.where(user % 2, np.array(OPENED["new"])[subject], np.array(OPENED["loyal"])[subject])
    start = datetime(2026, 1, 1, 9, tzinfo=UTC)
    sent = [start + timedelta(days=k // MAILS_A_DAY, minutes=k % MAILS_A_DAY) for k in range(n)]
    return pl.DataFrame(
        {
            "id": [f"m{k}" for k in range(n)],
            "sent": [moment.isoformat() for moment in sent],
            "customer": [f"c{k}" for k in user],
            "subject": [SUBJECTS[k] for k in subject],
            "opened": chance.random(n) < rates,
            "context": [f'{{"kind": "{name}"}}' for name in kind],
        }
    )


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> MailNight:
    folder = tmp_path_factory.mktemp("mails")
    log_of_mails().write_csv(folder / "mails.csv")
    config = folder / "metacart.toml"
    config.write_text(CONFIG, encoding="utf-8")
    printed = metacart_with_mail("run", "--config", str(config), "--json")
    return MailNight(json.loads(printed.splitlines()[-1]), folder / "data/warehouse/mails.duckdb")


def metacart_with_mail(*arguments: str) -> str:
    """Run the command where the list has a fourth area; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", WITH_MAIL, *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_area_is_six_files() -> None:
    files = [path for path in FILES.rglob("*") if path.suffix in {".py", ".sql"}]
    assert len(files) <= 6


def test_its_log_becomes_rounds_with_its_own_reward(night: MailNight) -> None:
    with duckdb.connect(night.warehouse, read_only=True) as warehouse:
        rounds = warehouse.sql("FROM fct_rounds").pl()

    assert rounds["domain"].unique().to_list() == ["mail"]
    assert rounds.height == DAYS * MAILS_A_DAY
    assert rounds["is_opened"].sum() == log_of_mails()["opened"].sum()
    # what it does not say of its rounds
    assert rounds.select(pl.col("slot", "cost_cents").unique()).row(0) == (1, 0)
    assert rounds["is_clicked"].null_count() == rounds.height


def test_it_is_judged_and_its_best_action_found_in_each_segment(night: MailNight) -> None:
    [verdict] = night.table("out_verdicts").filter(segment_id="all").to_dicts()
    assert (verdict["domain"], verdict["verdict"]) == ("mail", "promote")
    # Subject lines drawn alike are opened by 0.2, the best of each kind by 0.4; a tenth stays exploration.
    assert verdict["baseline"] == "logging"
    assert verdict["lower"] < 0.9 * (0.4 - 0.2) < verdict["upper"]
    assert verdict["baseline_value"] == pytest.approx(0.2, abs=0.03)


def test_its_table_is_published_with_probabilities_of_each_segment(night: MailNight) -> None:
    table = night.table("out_mail_subjects")
    sums = table.group_by("segment_id").agg(pl.col("probability").sum())["probability"]
    assert sums.to_list() == pytest.approx([1.0] * len(sums))
    best = table.sort("probability").group_by("segment_id").last()
    chosen = {
        kind: row["subject_id"]
        for row in best.iter_rows(named=True)
        for kind in OPENED
        if kind in row["segment_id"]
    }
    assert chosen == {"new": "offer", "loyal": "thanks"}


def test_the_report_has_its_verdict_and_its_section(night: MailNight) -> None:
    assert "A new policy serves mails tomorrow." in night.report
    assert "<h3>Mails</h3>" in night.report
    assert "Subject lines by segment" in night.report
    assert 'href="../out_mail_subjects.csv"' in night.report


def test_areas_without_a_log_stay_undecided_beside_it(night: MailNight) -> None:
    assert set(night.result["undecided"]) == {"recommendation", "advertising", "budget"}


def test_a_shop_without_its_log_reads_what_the_absence_means(tmp_path: Path) -> None:
    metacart_with_mail("ingest", "--config", str(campaign_export(tmp_path)))

    [known] = (tmp_path / "data").rglob("night.json")
    assert re.fullmatch(
        r"The logs hold no mails up to [\d-]+: it is unknown which subject line was sent, so that none can "
        r"be chosen\.",
        json.loads(known.read_text(encoding="utf-8"))["undecided"]["mail"],
    )
