"""A quick shop whose logs mention a person in many places: for the tests of erasures."""

import html
import json
import shutil
from datetime import date
from pathlib import Path

import polars as pl

from features.deidentify import pseudonym, read_key
from features.warehouse.byte_search import holds_text
from flows.checksums import SUMS, checksums, read_sums, sums_text
from flows.erasure.erase import erase
from flows.erasure.proof import Proof
from flows.settings import read_settings
from flows.stages.ingest import key_file
from flows.stages.night import NightResult, run_night
from flows.workspace import Workspace
from tests.flows.spend_shop import spend_shop

DAY = date(2026, 3, 3)
ANN, BEN = "ann@example-shop", "ben@example-shop"

TABLES = """
[[files]]
path = "visits.csv"
[files.events]
columns = { event_id = "id", occurred_at = "at", user_id = "who", session_id = "visit", item_id = "what" }
constants.event_type = "view"

[[files]]
path = "people.jsonl"
[files.users]
columns = { user_id = "id", attributes = "about" }
"""
VISITS = (
    ("v1", ANN, f"{ANN}-2026-02-01", "shoe"),
    # anonymous, and only the session says whose it is
    ("v2", "", f"{ANN}-2026-02-02", "hat"),
    ("v3", BEN, f"{ANN}-2026-02-03", "hat"),
    ("v4", BEN, "s4", f"gift for {ANN}"),
    # in quarantine
    ("v6", BEN, f"{ANN}-2026-02-04", ""),
    # the rest of an address, and no word by itself
    ("v5", "", f"jo{ANN}", "hat"),
)
PEOPLE = (
    {"id": ANN, "about": {"plan": "gold"}},
    {"id": BEN, "about": {"friend": ANN, "note": f"met\n{ANN} {ANN}"}},
)


def erasure_shop(folder: Path, ids: dict[str, str] | None = None) -> Workspace:
    """Write logs and configuration; ids: other ids in place of ANN or BEN."""
    spend_shop(folder)
    rows = [
        f'{name},2026-02-0{n}T10:00:00Z,"{who}",{visit},{what}'
        for n, (name, who, visit, what) in enumerate(VISITS, start=1)
    ]
    logs = {
        "visits.csv": "\n".join(["id,at,who,visit,what", *rows, ""]),
        "people.jsonl": "".join(json.dumps(person) + "\n" for person in PEOPLE),
    }
    for name, text in logs.items():
        for user_id in (ANN, BEN):
            text = text.replace(user_id, (ids or {}).get(user_id, user_id))  # noqa: PLW2901
        (folder / name).write_text(text, encoding="utf-8")
    config = folder / "metacart.toml"
    config.write_text(config.read_text() + TABLES)
    return Workspace(read_settings(config))


def copy_of(source: Path, folder: Path) -> Workspace:
    """Return a copy of a shop for a test to spoil."""
    shutil.copytree(source, folder)
    config = folder / "metacart.toml"
    config.write_text(config.read_text().replace(str(source), str(folder)))
    return Workspace(read_settings(config))


def night_of(shop: Workspace, as_of: date | None = None) -> NightResult:
    return run_night(shop.settings, as_of)


def quote_as_before(shop: Workspace, text: str) -> Path:
    """Let the published night quote a broken line with this text, as nights of earlier versions do."""
    [night] = shop.nights.all()
    table = night.path / "out_data_quality.parquet"
    rows = pl.read_parquet(table)
    quote = json.dumps({"session_id": text, "event_type": "view"})
    rows = rows.with_columns(
        example=pl.when(pl.col("example").is_not_null()).then(pl.lit(quote)).otherwise("example")
    )
    rows.write_parquet(table)
    rows.write_csv(table.with_suffix(".csv"))
    page = night.path / "report" / "index.html"
    page.write_text(page.read_text().replace("</body>", f"<p>{html.escape(quote)}</p></body>"))
    sums = night.path / SUMS
    sums.write_text(sums_text(checksums(night.path, read_sums(sums) or {})))
    return night.path


def erased(shop: Workspace, user_id: str = ANN) -> Proof:
    with shop.locked():
        return erase(shop, user_id, reason="asked to be forgotten", erased_on=DAY)


def key_of(shop: Workspace, user_id: str = ANN) -> str:
    return pseudonym(read_key(key_file(shop)), user_id)


def holders(shop: Workspace, text: str) -> list[str]:
    """Return the files but the proofs whose bytes contain a text."""
    data = shop.settings.paths.data
    files = [path for path in sorted(data.rglob("*")) if path.is_file() and "erasures" not in path.parts]
    return [path.relative_to(data).as_posix() for path in files if holds_text(path, text)]
