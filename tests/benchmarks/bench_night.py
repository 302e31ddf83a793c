"""How long a whole night takes, stage by stage, and how time and memory grow with the logs.

    python tests/benchmarks/bench_night.py [--events 1000000 3000000 10000000] [--folder DIR]

Prints one JSON object a line, one for each size, and the growth at the end. A shop of E events has about
E / 10 impressions and E / 25 ad impressions: the demo shop (world nonlinear, 28 days), whose visitors also
look at pages, ten views a visit. Each size is a first night, with the default configuration, in a process
of its own. `peak_memory_mb` of a stage is that of the process up to its end. `growth_exponent` of a stage:
log(ratio of seconds) / log(ratio of events), between neighboring sizes; 1 is linear. Goal: at most 1.1; a
night of 10,000,000 events in 30 minutes and 6,000 MB on two cores.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import duckdb

METACART = Path(sys.executable).with_name("metacart")
DAYS = 28
IMPRESSIONS_PER_USER = 45.2  # of the demo shop in 28 days
EVENTS_PER_IMPRESSION = 10
VIEWS_PER_VISIT = 10  # 100 and more in one visit would be a robot's

# Drawn by hash, so that a size gives the same shop on every machine. The items are those of the catalog, the
# first ones looked at most often; the logged lines of the day stay as they are.
VIEWS = """
    COPY (
        SELECT * FROM read_csv('{file}', all_varchar = true)
        UNION ALL
        SELECT
            strftime(day, '%Y%m%d') || '-p' || n AS event_id,
            strftime(
                day + to_seconds(CAST(hash(n // {views}, 1) % 84_000 + n % {views} * 40 AS BIGINT)),
                '%Y-%m-%dT%H:%M:%SZ'
            ) AS occurred_at,
            'user-' || lpad(CAST(hash(n // {views}, 2) % {users} + 1 AS VARCHAR), 6, '0') AS user_id,
            strftime(day, '%Y%m%d') || '-w' || (n // {views}) AS session_id,
            'item-' || lpad(CAST(least(hash(n, 3) % 30, hash(n, 4) % 30) + 1 AS VARCHAR), 3, '0') AS item_id,
            'view' AS event_type,
            NULL AS impression_id
        FROM range({rows}) AS numbers(n), (SELECT TIMESTAMP '{day}' AS day)
    ) TO '{file}.new' (HEADER)
"""


@dataclass(frozen=True)
class Night:
    """What a night took; `stages`: stage → seconds and peak memory in MB; disk in MB."""

    events: int
    impressions: int
    ad_impressions: int
    seconds: float
    stages: dict[str, dict[str, float]]
    disk_mb: dict[str, int]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--events", type=int, nargs="+", default=[1_000_000, 3_000_000, 10_000_000])
    parser.add_argument("--folder", type=Path, help="for the logs and the nights; a temporary one by default")
    arguments = parser.parse_args()
    nights = []
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        for events in arguments.events:
            nights.append(night_of(events, Path(folder) / f"{events}"))
            say(nights[-1].__dict__)
    for smaller, larger in pairwise(nights):
        say({"from": smaller.events, "to": larger.events, "growth_exponent": growth(smaller, larger)})


def night_of(events: int, folder: Path) -> Night:
    """Write the logs of a shop and run its first night."""
    logs = folder / "logs" / "bench"
    folder.mkdir()
    users = round(events / EVENTS_PER_IMPRESSION / IMPRESSIONS_PER_USER)
    options = ["--users", str(users), "--days", str(DAYS), "--world", "nonlinear"]
    subprocess.run(
        [METACART, "simulate", "--out", logs, *options], cwd=folder, check=True, stdout=subprocess.DEVNULL
    )
    add_views(logs / "events", events, users)
    start = time.perf_counter()
    ended = subprocess.run(
        [METACART, "run", "--config", logs / "metacart.toml", "--log-json"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - start
    if ended.returncode:
        raise SystemExit(
            f"The night of {events} events ended with {ended.returncode}: {ended.stderr[-2000:]}"
        )
    lines = [json.loads(line) for line in ended.stderr.splitlines() if line.startswith("{")]
    stages = {
        line["stage"]: {"seconds": line["seconds"], "peak_memory_mb": line["peak_memory_mb"]}
        for line in lines
        if line["event"] == "stage"
    }
    rows = {log: lines_of(logs / log) for log in ("events", "impressions", "ad_impressions")}
    places = {"logs": logs} | {name: folder / "data" / name for name in ("warehouse", "work", "published")}
    disk = {name: megabytes(place) for name, place in places.items()}
    return Night(**rows, seconds=round(seconds, 1), stages=stages, disk_mb=disk)


def add_views(folder: Path, events: int, users: int) -> None:
    """Add page views to every day of an events log until it has this many lines."""
    files = sorted(folder.glob("*.csv"))
    missing = max(0, events - lines_of(folder)) // len(files)
    for file in files:
        duckdb.sql(VIEWS.format(file=file, day=file.stem, rows=missing, users=users, views=VIEWS_PER_VISIT))
        file.with_name(f"{file.name}.new").replace(file)


def lines_of(folder: Path) -> int:
    """Return the number of rows in a folder of CSV files."""
    query = f"SELECT count(*) FROM read_csv('{folder}/*.csv', all_varchar = true)"
    [(rows,)] = duckdb.execute(query).fetchall()
    return int(rows)


def megabytes(folder: Path) -> int:
    """Return the size of all files below a folder, in MB."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) // 2**20


def growth(smaller: Night, larger: Night) -> dict[str, float]:
    """Return the growth exponent of each stage and of the whole night."""
    ratio = math.log(larger.events / smaller.events)
    seconds = {
        name: (smaller.stages[name]["seconds"], stage["seconds"]) for name, stage in larger.stages.items()
    }
    seconds["night"] = (smaller.seconds, larger.seconds)
    return {name: round(math.log(after / before) / ratio, 2) for name, (before, after) in seconds.items()}


def say(figures: dict[str, object]) -> None:
    """Print one JSON object."""
    sys.stdout.write(json.dumps({"benchmark": "night", **figures}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
