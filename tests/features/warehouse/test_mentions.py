from pathlib import Path

import polars as pl
import pytest

from features.contracts.mapping import FileFormat, LogMapping, SourceFile
from features.warehouse.mentions import count_mentions
from features.warehouse.shop_ids import ShopId

USERS = ["ann", "annabel", 'o"hara, jr', "größe", "ann", None]


@pytest.fixture(params=["csv", "jsonl", "parquet"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> SourceFile:
    file_format: FileFormat = request.param
    path = tmp_path / f"log.{file_format}"
    frame = pl.DataFrame({"user_id": USERS, "n": range(len(USERS))})
    match file_format:
        case "csv":
            frame.write_csv(path)
        case "jsonl":
            frame.write_ndjson(path)
        case "parquet":
            frame.write_parquet(path)
    mapping = LogMapping("events", {"user_id": "user_id"})
    return SourceFile(path, path.name, file_format, frozenset({"user_id"}), (mapping,))


@pytest.mark.parametrize(
    ("user_id", "n_mentions"), [("ann", 2), ('o"hara, jr', 1), ("größe", 1), ("anna", 0)]
)
def test_a_file_of_any_format_is_asked_for_the_id(file: SourceFile, user_id: str, n_mentions: int) -> None:
    assert count_mentions(file, ShopId((user_id,))) == n_mentions
