"""How much ingest costs beside a bare typed copy of the same file, and how much memory it takes.

    python tests/benchmarks/bench_ingest.py [--rows 5000000] [--repeats 3] [--folder DIR]

Prints one JSON object. `ratio` is the time of a file through contracts, pseudonyms, quarantine and
deduplication over the time of `CREATE TABLE AS SELECT * FROM read_csv(...)` with the right types; both write
to a file on disk, one after the other, and of all repeats the best time counts. One row in a thousand breaks
a rule and one in two hundred repeats a key. `numbered` is CSV whose mapping asks for the number of the line.
`by_files` loads files of the same size, more and more of them: `peak_mb` should not grow with their number.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import get_args

import duckdb

from features.contracts.logs import LOGS
from features.contracts.mapping import LINE, FileFormat, LogMapping, SourceFile
from features.deidentify import PseudonymKey, pseudonym_sql
from features.warehouse.load import load_file
from features.warehouse.models import read_models
from features.warehouse.store import open_store

FORMATS = get_args(FileFormat)
THREADS = 2
AS_OF = date(2026, 1, 5)
FILES = (1, 10, 50)

IMPRESSIONS = """
    SELECT
        'i-' || lpad(CAST(n - CAST(n % 200 = 7 AS INT) AS VARCHAR), 10, '0') AS impression_id,
        TIMESTAMPTZ '2026-01-05 00:00:00Z' + INTERVAL (n * 86_399 // {rows}) SECOND AS shown_at,
        'user-' || (hash(n // 12) % ({rows} // 10 + 1)) AS user_id,
        's-' || (n // 12) AS session_id,
        CASE (n // 12) % 3 WHEN 0 THEN 'home' WHEN 1 THEN 'search' ELSE 'cart' END AS surface,
        CASE WHEN n % 1000 = 5 THEN 0 ELSE n % 3 + 1 END AS slot,
        'item-' || (hash(n, 7) % 5000) AS item_id,
        round(0.001 + (hash(n, 3) % 99_900) / 100_000, 5) AS propensity,
        'policy-' || (n % 2) AS policy_version,
        CAST(NULL AS VARCHAR) AS run_id,
        'set-' || (hash(n // 12, 1) % 50) AS candidate_set_id,
        '{{"hour": ' || (n % 24) || '}}' AS context
    FROM range({rows}) AS rows(n)
"""
SQL_TYPES = {"shown_at": "TIMESTAMPTZ", "slot": "BIGINT", "propensity": "DOUBLE"}
COPY_OPTIONS = {"csv": "HEADER", "jsonl": "FORMAT json", "parquet": "FORMAT parquet, COMPRESSION zstd"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000_000, help="rows of the file (5,000,000)")
    parser.add_argument("--file-rows", type=int, default=200_000, help="rows of each of many files (200,000)")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where the files go; by default a folder that is removed")
    parser.add_argument("--measure", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        how, file_format, *names = arguments.measure
        paths = [Path(name) for name in names]
        measured = _bare(file_format, paths[0]) if how == "bare" else _ingest(how, file_format, paths)
        sys.stdout.write(json.dumps(measured))
        return
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        report = _report(Path(folder), arguments.rows, arguments.file_rows, arguments.repeats)
    sys.stdout.write(json.dumps(report, indent=2) + "\n")


def _report(folder: Path, rows: int, file_rows: int, repeats: int) -> dict[str, object]:
    report: dict[str, object] = {"rows": rows, "threads": THREADS, "load_average": os.getloadavg()[0]}
    for file_format in FORMATS:
        path = _write(folder / f"impressions.{file_format}", file_format, rows)
        report[file_format] = _beside_bare("ingest", file_format, path, rows, repeats)
        if file_format == "csv":
            report["numbered"] = _beside_bare("numbered", file_format, path, rows, repeats)
        path.unlink()
    one = _write(folder / "one.csv", "csv", file_rows)
    paths = [folder / f"{number}.csv" for number in range(max(FILES))]
    for path in paths:
        path.hardlink_to(one)
    by_files = {n_files: _measured("load", "csv", *paths[:n_files]) for n_files in FILES}
    return report | {"file_rows": file_rows, "by_files": by_files}


def _beside_bare(how: str, file_format: str, path: Path, rows: int, repeats: int) -> dict[str, float]:
    runs = [(_measured("bare", file_format, path), _measured(how, file_format, path)) for _ in range(repeats)]
    bare, seconds = (min(run[place]["seconds"] for run in runs) for place in (0, 1))
    return {
        "file_mb": path.stat().st_size >> 20,
        "bare_seconds": bare,
        "seconds": seconds,
        "ratio": round(seconds / bare, 2),
        "rows_per_second": round(rows / seconds),
        "peak_mb": max(run[1]["peak_mb"] for run in runs),
    }


def _measured(how: str, file_format: str, *paths: Path) -> dict[str, float]:
    """Measure in a process of its own, so that its peak memory is nobody else's."""
    command = [sys.executable, __file__, "--measure", how, file_format, *map(str, paths)]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def _write(path: Path, file_format: str, rows: int) -> Path:
    with duckdb.connect(config={"threads": THREADS}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        shown_at = "shown_at" if file_format == "parquet" else "strftime(shown_at, '%Y-%m-%dT%H:%M:%SZ')"
        query = f"SELECT * REPLACE ({shown_at} AS shown_at) FROM ({IMPRESSIONS.format(rows=rows)})"
        connection.execute(f"COPY ({query}) TO '{path}' ({COPY_OPTIONS[file_format]})")
    return path


def _bare(file_format: str, path: Path) -> dict[str, float]:
    names = ", ".join(f"{name}: '{SQL_TYPES.get(name, 'VARCHAR')}'" for name in LOGS["impressions"].columns())
    source = {
        "csv": f"read_csv('{path}', columns={{{names}}}, header=true)",
        "jsonl": f"read_json('{path}', columns={{{names}}}, format='newline_delimited')",
        "parquet": f"read_parquet('{path}')",
    }[file_format]
    database = path.with_suffix(".duckdb")
    with duckdb.connect(database, config={"threads": THREADS, "memory_limit": "4GB"}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        started = time.monotonic()
        connection.execute(f"CREATE TABLE bare AS SELECT * FROM {source}")
        seconds = time.monotonic() - started
    database.unlink()
    return {"seconds": round(seconds, 2), "peak_mb": _peak_mb()}


def _ingest(how: str, file_format: FileFormat, paths: list[Path]) -> dict[str, float]:
    columns = {name: f'"{name}"' for name in LOGS["impressions"].columns()}
    if how == "numbered":
        columns["impression_id"] = f"'i-' || {LINE}"
    mapping = LogMapping("impressions", columns)
    folder = paths[0].parent / "warehouse"
    with open_store(folder / "shop.duckdb", threads=THREADS) as connection:
        started = time.monotonic()
        for path in paths:
            load_file(
                connection,
                SourceFile(
                    path, path.name, file_format, frozenset(LOGS["impressions"].columns()), (mapping,)
                ),
                pseudonym_sql=pseudonym_sql(PseudonymKey(bytes(32))),
                key_id="bench",
                max_rejected_share=0.5,
            )
        if how != "load":
            _deduplicate(connection)
        seconds = time.monotonic() - started
    shutil.rmtree(folder)
    return {"seconds": round(seconds, 2), "peak_mb": _peak_mb()}


def _deduplicate(connection: duckdb.DuckDBPyConnection) -> None:
    """Make what a night makes first of the raw table: one row for each key."""
    connection.execute(f"SET VARIABLE as_of = DATE '{AS_OF.isoformat()}'")
    for model in read_models():
        if model.name in {"stg_superseded_lines", "stg_impressions"}:
            kind = "VIEW" if model.is_view else "TABLE"
            connection.execute(f"CREATE {kind} {model.name} AS {model.query}")


def _peak_mb() -> int:
    # Linux counts in kilobytes, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20)


if __name__ == "__main__":
    main()
