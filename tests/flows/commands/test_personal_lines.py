"""A night of logs whose columns are shifted: no address, number or user id of a broken line is published."""

import re
from pathlib import Path

import polars as pl
import pytest

from features.warehouse.byte_search import holds_text
from tests.flows.commands.test_hard_nights import metacart
from tests.flows.spend_shop import spend_shop

PERSONAL = (
    "ann.miller@example.org",
    "+49 171 7788991",
    "4917177889912",
    "customer-88214",
    "Ann Miller-Qvist",
)
EVENTS = ("id", "at", "who", "what", "did")
SPEND = ("day", "cents", "revenue")


def shifted(names: tuple[str, ...], good: tuple[str, ...]) -> list[str]:
    """Return lines that are broken, each with a personal text in one of its columns."""
    lines = []
    for text in PERSONAL:
        for place in range(len(names)):
            # a column that takes a text or any number breaks no line, so another one does
            values = [*good[:place], text, *good[place + 1 :]]
            values[0 if names[place] in ("cents", "revenue") else -1] = "neither"
            values[place] = text
            lines.append(",".join(values))
    return lines


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A shop with a file of events and one of spend, both with broken lines."""
    spend_shop(tmp_path / "shop")
    good = ("e1", "2026-02-01T10:00:00Z", "ben", "shoe", "view")
    many = [f"e{number},2026-02-01T10:00:00Z,ben,shoe,view" for number in range(100, 200)]
    events = ["id,at,who,what,did", *many, *shifted(EVENTS, good)]
    (tmp_path / "shop" / "events-b.csv").write_text("\n".join([*events, ""]))
    days = [f"2026-02-{day:02},1200,2400" for day in range(10, 28)]
    spend = ["day,cents,revenue", *days, *shifted(SPEND, ("2026-02-01", "100", "200"))]
    (tmp_path / "shop" / "spend-b.csv").write_text("\n".join([*spend, ""]))
    return tmp_path / "shop" / "metacart.toml"


def pieces(text: str) -> set[str]:
    """Return the words and numbers of a personal text of four characters and more."""
    return {text, *(part for part in re.findall(r"\w{4,}", text) if part not in ("example", "customer"))}


def test_a_night_of_shifted_columns_publishes_and_prints_no_personal_text(config: Path) -> None:
    # the spend of both files is on the same days, which a later file may not take back
    config.write_text(
        config.read_text().replace('path = "spend-*.csv"', 'path = "spend-*.csv"\nparts = true', 1)
    )

    night = metacart(config, "run", "--log-json")

    assert night.returncode == 0, night.stderr
    [folder] = [path for path in (config.parent / "data" / "published" / "shop").iterdir() if path.is_dir()]
    quality = pl.read_parquet(folder / "out_data_quality.parquet")
    assert quality.filter(pl.col("source_name") == "events-b.csv")["n_rejected"].max() == len(PERSONAL) * 5
    assert quality.filter(pl.col("source_name") == "spend-b.csv")["n_rejected"].max() == len(PERSONAL) * 3
    said = night.stdout + night.stderr + quality.write_csv()
    said += (folder / "out_data_quality.csv").read_text()
    said += "".join(page.read_text() for page in folder.rglob("*.html"))
    assert "a text of 22 characters with an @" in said
    for text in PERSONAL:
        assert [piece for piece in pieces(text) if piece in said] == []
        files = [path for path in (config.parent / "data").rglob("*") if path.is_file()]
        assert [path.name for path in files if holds_text(path, text)] == []


def test_a_night_that_is_refused_for_its_lines_says_no_personal_text(config: Path) -> None:
    config.write_text(config.read_text().replace("max_rejected_share = 0.5", "max_rejected_share = 0.01"))

    night = metacart(config, "run")

    assert night.returncode == 65
    [sentence] = [line for line in night.stderr.splitlines() if line.startswith("metacart: ")]
    assert "lines are bad, above the allowed share 0.01. The most frequent reason" in sentence
    assert not any(piece in night.stdout + night.stderr for text in PERSONAL for piece in pieces(text))
