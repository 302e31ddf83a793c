"""A quick shop whose events are ingested, and a published night whose table names some of its users."""

import json
from pathlib import Path

import polars as pl

from features.deidentify import pseudonym, read_key
from flows.links.link import Linked, link
from flows.settings import read_settings
from flows.shops import FILES, write_config
from flows.stages.ingest import ingest, key_file
from flows.workspace import Workspace

RUN_ID = "2026-01-05-0a1b2c3d"
EVENTS = """
[[files]]
path = "events.csv"
{options}
[files.events]
ids.event_id = "row number"
constants.occurred_at = "2026-01-05T10:00:00Z"
constants.event_type = "view"
columns.item_id = "item"
{user}
"""
PLAIN = 'columns.user_id = "who"'


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def linked_shop(folder: Path, ids: list[str], *, user: str = PLAIN, options: str = "") -> Workspace:
    """Write and ingest a shop with one event of each id; user, options: lines of the mapping."""
    logs = folder / "logs"
    logs.mkdir(parents=True)
    rows = [f"{quoted(user_id)},shoe,de" for user_id in ids]
    (logs / "events.csv").write_text("\n".join(["who,item,land", *rows, ""]), encoding="utf-8")
    config = folder / "metacart.toml"
    write_config(config, FILES, name="shop", logs=logs, data=folder / "data")
    return with_files(Workspace(read_settings(config)), EVENTS.format(options=options, user=user))


def with_files(shop: Workspace, tables: str) -> Workspace:
    """Add [[files]] tables to the configuration of a shop, and ingest."""
    config = config_of(shop)
    config.write_text(config.read_text() + tables)
    changed = Workspace(read_settings(config))
    with changed.locked():
        ingest(changed, None)
    return changed


def config_of(shop: Workspace) -> Path:
    return shop.settings.paths.data.parent / "metacart.toml"


def publish_users(shop: Workspace, ids: list[str], segments: tuple[str, ...] = ()) -> None:
    """Publish a night whose recommendations are for these users, and for all users of these segments."""
    night = shop.published / RUN_ID
    night.mkdir(parents=True)
    keys = [*(key_of(shop, user_id) for user_id in ids), *segments]
    pl.DataFrame({"user_key": keys}).write_parquet(night / "out_recommendations.parquet")
    pl.DataFrame({"segment_id": ["all"]}).write_parquet(night / "out_verdicts.parquet")
    (shop.published / "current.json").write_text(json.dumps({"run_id": RUN_ID, "folder": RUN_ID}))


def key_of(shop: Workspace, user_id: str) -> str:
    return pseudonym(read_key(key_file(shop)), user_id)


def stored_keys(shop: Workspace) -> set[str]:
    from features.warehouse.store import open_to_read

    with open_to_read(shop.warehouse) as connection:
        return {key for (key,) in connection.execute("SELECT user_key FROM raw_events").fetchall() if key}


def write_ids(folder: Path, ids: list[str], name: str = "ids.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(["user_id", *map(quoted, ids), ""]), encoding="utf-8")
    return path


def linked(
    shop: Workspace,
    ids: Path,
    *,
    out: str = "link.parquet",
    column: str | None = None,
    overwrite: bool = False,
) -> tuple[Linked, dict[str, str]]:
    """Return the link of a file, and its rows: user_id → user_key."""
    place = ids.parent / out
    with shop.locked():
        said = link(shop, ids, place, column=column, overwrite=overwrite)
    if not said.is_written:
        return said, {}
    table = pl.read_parquet(place) if place.suffix == ".parquet" else pl.read_csv(place, infer_schema=False)
    assert table.columns == ["user_id", "user_key"]
    return said, dict(table.iter_rows())
