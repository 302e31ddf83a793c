"""A warehouse of an earlier version loses what it quotes of broken lines, and keeps the rules they broke."""

import json
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest

from features.contracts.findings import from_json
from features.contracts.outputs import DataQuality
from features.warehouse.outputs import store_outputs
from features.warehouse.quality import data_quality
from features.warehouse.store import open_store
from features.warehouse.watermark import forget_refusals_of
from reports.wording.sentences import say, say_rule

QUOTED = ("ann@x.de", "491701234567", "2026-01-02", "hat of ann")


def earlier(code: str, subject: str, **numbers: object) -> str:
    return json.dumps({"code": code, "subject": subject, "numbers": numbers}, separators=(",", ":"))


CLOSED = {"n_days": 3, "first_open": "2026-01-03", "last_night": "2026-01-05"}


def line(
    number: int,
    code: str,
    shared: dict[str, object],
    example: str | None = None,
    subject: str = "",
    **own: object,
) -> tuple[int, str, str, str | None]:
    """Return a row of rejected_lines; shared: numbers of the rule; own: those that quote the line."""
    column = subject or {"not_one_of": "event_type", "above_other": "clicks"}.get(code, "slot")
    of_rule = "day" if code == "negative_sum" else column
    return number, earlier(code, of_rule, **shared), f"[{earlier(code, column, **shared, **own)}]", example


LINES = (
    line(3, "outside_bounds", {"at_least": 1}, '{"item_id":"hat of ann"}', value="491701234567"),
    line(4, "not_one_of", {"words": "a, b"}, value="ann@x.de"),
    line(5, "above_other", {"other": "impressions"}, value=491701234567, other_value=-3),
    line(6, "negative_sum", {}, subject="spend_cents", sum=-200, day="2026-01-02, ann@x.de"),
    line(7, "day_is_closed", CLOSED, '{"item_id":"shoe"}', subject="at", value="2026-01-02 10:00:00+00"),
    line(8, "value_missing", {}, subject="item_id"),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A warehouse whose quarantine was written by an earlier version."""
    path = tmp_path / "shop.duckdb"
    with open_store(path) as warehouse:
        warehouse.execute(
            """
            INSERT INTO load_manifest
                (load_number, source_name, file_sha256, n_bytes, n_lines, n_loaded, n_rejected, logs, key_id,
                contract_version)
            VALUES (1, 'gone.csv', 'x', 1, 10, 4, 6, ['items'], 'k', 'v')
            """
        )
        warehouse.executemany(
            "INSERT INTO rejected_lines VALUES (1, ?, ?, ?, ?)", [list(row) for row in LINES]
        )
        first = '[{"code":"first_rejected_line","subject":"gone.csv","numbers":{"line":4},"because":[%s]}]'
        said = {
            "run_id": "night",
            "source_name": "gone.csv",
            "rule": "event_type must be one of a, b",
            "n_rows": 10,
            "n_loaded": 4,
            "n_rejected": 6,
            "reason": "line 4: event_type is ann@x.de; it must be one of a, b",
            "reason_codes": "first_rejected_line not_one_of",
            "findings": first % LINES[1][2][1:-1],
            "example": '{"item_id":"hat of ann"}',
        }
        rows = pl.DataFrame([said], schema=DataQuality.create_empty().schema)
        store_outputs(warehouse, {"out_data_quality": rows}, "night")
    return path


def texts(warehouse: duckdb.DuckDBPyConnection) -> str:
    return str(
        [warehouse.execute(f"FROM {table}").fetchall() for table in ("rejected_lines", "out_data_quality")]
    )


CLOSED_DAY = "at comes too late: the days before 2026-01-03 were closed by the night of 2026-01-05"


def test_quotes_leave_and_what_was_wrong_stays(path: Path) -> None:
    for _ in range(2):
        with open_store(path) as warehouse:
            assert [quote for quote in QUOTED if quote in texts(warehouse)] == []
            quality = data_quality(warehouse, "night-2", say, say_rule)
            published = warehouse.execute("SELECT reason, findings, example FROM out_data_quality").fetchall()

    assert quality.filter(pl.col("n_rejected") == 1).select("rule", "reason").rows() == [
        ("at must not lie before the 3 last closed days", f"line 7: {CLOSED_DAY}"),
        ("clicks must be at most impressions", "line 5: what clicks held is not kept any more"),
        ("event_type must be one of a, b", "line 4: what event_type held is not kept any more"),
        ("item_id must be there", "line 8: item_id is missing"),
        ("slot must be at least 1", "line 3: what slot held is not kept any more"),
        ("the sums of a day must not be negative", "line 6: what spend_cents held is not kept any more"),
    ]
    [(reason, findings, example)] = published
    assert (reason, example) == ("event_type must be one of a, b", None)
    assert [found.code for found in from_json(findings)[0].because] == ["quote_removed"]


def test_a_night_that_is_taken_back_still_finds_the_lines_that_it_refused(path: Path) -> None:
    with open_store(path) as warehouse:
        assert forget_refusals_of(warehouse, date(2026, 1, 5)) == ("gone.csv",)


def test_a_night_published_before_reasons_were_data_loses_its_quotes_too(path: Path) -> None:
    with duckdb.connect(path) as warehouse:
        warehouse.execute("ALTER TABLE out_data_quality DROP COLUMN findings")

    with open_store(path) as warehouse:
        assert [quote for quote in QUOTED if quote in texts(warehouse)] == []
