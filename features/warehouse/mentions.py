"""Mentions of a user id in a shop's own log files, which the shop has to erase itself."""

import csv
import io
import json
from collections.abc import Iterator

import duckdb

from features.contracts.mapping import SourceFile
from features.contracts.sql_text import identifier, quoted
from features.warehouse.byte_search import count_words


def count_mentions(file: SourceFile, user_id: str) -> int:
    """Count the places in a CSV or JSONL file, or the rows of a Parquet file, that contain the id as a word.

    Never too few where the file contains the id as the contract gets it. Too many for a short id: `7` is also
    a quantity. A mapping that makes the id of several columns is not used.
    """
    if file.file_format != "parquet":
        return count_words(file.path, user_id, *_spellings(user_id))
    with duckdb.connect() as connection:
        source = f"read_parquet({quoted(str(file.path))})"
        columns = [row[0] for row in connection.execute(f"DESCRIBE FROM {source}").fetchall()]
        cells = ", ".join(f"{identifier(name)}::VARCHAR" for name in columns)
        [(n_rows,)] = connection.execute(
            f"SELECT count(*) FROM {source} WHERE list_contains([{cells}], ?)", [user_id]
        ).fetchall()
        return int(n_rows)


def _spellings(user_id: str) -> Iterator[str]:
    """Yield the id in the spelling of CSV and of JSON."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([user_id])
    yield line.getvalue().removeprefix('"').removesuffix('"')
    yield json.dumps(user_id)[1:-1]
    yield json.dumps(user_id, ensure_ascii=False)[1:-1]
