"""How long features take, and how that grows: a synthetic shop of 1 and of 10 million events.

    python tests/benchmarks/bench_features.py [--events 1000000 10000000] [--rounds 1000000] [--folder DIR]

Prints one JSON object. warehouse: `build` from raw tables to marts, by number of events; the shop has
half as many impressions (three slots to a slate), a tenth as many ad impressions and a fiftieth as many
order lines beside them. tasks: `read_tables` and `build_tasks` for a given number of recommendation rounds.
growth_exponent: log(seconds ratio) / log(events ratio); 1 is linear. Each part runs in a process of its own
under a limit of 4 GB for DuckDB, so that peak_memory_mb is its own.
"""

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import duckdb

from features.rewards import Reward
from features.tasks.build import build_tasks
from features.tasks.settings import TaskSettings
from features.tasks.tables import read_tables
from features.warehouse.build import build
from features.warehouse.store import open_store

NIGHT = date(2026, 1, 28)
EVENTS_PER_USER = 40
SETTINGS = TaskSettings(
    reward=Reward.of("click"),
    attribution_hours=24,
    segments_by=("region", "device"),
    clusters=0,
    min_rounds=500,
    salt="bench",
    support_share=0.5,
    query_share=0.25,
    evidence_policies=(),
    incumbent_policy="",
    seed=0,
)

# Drawn by hash, so that a size gives the same shop on every machine. Keys are as long as pseudonyms.
SHOP = """
CREATE MACRO drawn(number, salt, n) AS CAST(hash(number, salt) % CAST(n AS UBIGINT) AS BIGINT);
CREATE MACRO key_of(number) AS sha256(CAST(number AS VARCHAR));
CREATE MACRO moment(number, salt) AS
    TIMESTAMPTZ '2026-01-01 00:00:00Z' + to_microseconds(drawn(number, salt, 28 * 86_400) * 1_000_000);

INSERT INTO raw_users BY NAME
SELECT
    key_of(range) AS user_key,
    'region ' || drawn(range, 'region', 8) AS region,
    'device ' || drawn(range, 'device', 3) AS device,
    1 AS load_number,
    range AS file_line
FROM range($users);

INSERT INTO raw_items BY NAME
SELECT
    'item ' || range AS item_id,
    'category ' || drawn(range, 'category', 30) AS category,
    'brand ' || drawn(range, 'brand', 100) AS brand,
    100 + drawn(range, 'price', 10_000) AS price_cents,
    'EUR' AS currency_code,
    1 AS load_number,
    range AS file_line
FROM range($items);

INSERT INTO raw_impressions BY NAME
SELECT
    'impression ' || range AS impression_id,
    moment(range // 3, 'slate') AS shown_at,
    key_of(drawn(range // 3, 'user', $users)) AS user_key,
    'visit ' || range // 3 AS session_id,
    'home' AS surface,
    1 + range % 3 AS slot,
    'item ' || drawn(range, 'item', $items) AS item_id,
    0.01 AS propensity,
    'v1' AS policy_version,
    1 AS load_number,
    range AS file_line
FROM range($events // 2);

INSERT INTO raw_events BY NAME
SELECT
    'event ' || range AS event_id,
    moment(visit, 'slate') + to_seconds(1 + drawn(range, 'delay', 600)) AS occurred_at,
    key_of(drawn(visit, 'user', $users)) AS user_key,
    'visit ' || visit AS session_id,
    'item ' || drawn(if(range % 10 = 0, 3 * visit, -range), 'item', $items) AS item_id,
    if(range % 10 = 0, 'click', if(range % 10 = 1, 'add_to_cart', 'view')) AS event_type,
    if(range % 10 = 0, 'impression ' || 3 * visit, NULL) AS impression_id,
    1 AS load_number,
    range AS file_line
FROM (SELECT range, drawn(range, 'visit', $events // 6) AS visit FROM range($events));

INSERT INTO raw_purchases BY NAME
SELECT
    'order ' || range AS order_id,
    1 AS line,
    moment(visit, 'slate') + to_seconds(700) AS ordered_at,
    key_of(drawn(visit, 'user', $users)) AS user_key,
    'visit ' || visit AS session_id,
    'item ' || drawn(3 * visit, 'item', $items) AS item_id,
    1 AS quantity,
    999 AS price_cents,
    'EUR' AS currency_code,
    false AS is_cancelled,
    1 AS load_number,
    range AS file_line
FROM (SELECT range, drawn(range, 'buyer', $events // 6) AS visit FROM range($events // 50));

INSERT INTO raw_ad_impressions BY NAME
SELECT
    'ad ' || range AS ad_impression_id,
    moment(range, 'ad') AS shown_at,
    key_of(drawn(range, 'target', $users)) AS user_key,
    'spring' AS campaign_id,
    'channel ' || drawn(range, 'channel', 3) AS channel,
    'creative ' || drawn(range, 'creative', 12) AS creative_id,
    5 AS cost_cents,
    0.08 AS propensity,
    drawn(range, 'ad click', 50) = 0 AS is_clicked,
    0 AS conversions,
    0 AS conversion_value_cents,
    1 AS load_number,
    range AS file_line
FROM range($events // 10);
"""


def fill(connection: duckdb.DuckDBPyConnection, events: int, items: int) -> int:
    """Write the raw tables of a shop; return its number of rows."""
    sizes = {"events": events, "items": items, "users": max(events // EVENTS_PER_USER, 1)}
    text = SHOP
    for name, size in sizes.items():
        text = text.replace(f"${name}", str(size))
    connection.execute(text)
    tables = ("users", "items", "impressions", "events", "purchases", "ad_impressions")
    counts = [connection.execute(f"SELECT count(*) FROM raw_{table}").fetchone() for table in tables]
    return sum(count[0] for count in counts if count)


def time_warehouse(events: int, folder: Path) -> dict[str, float]:
    """Build all models for a shop with this number of events."""
    with open_store(folder / "shop.duckdb", memory_limit="4GB") as connection:
        rows = fill(connection, events, items=10_000)
        # what the rows themselves cost to make is no part of the figure
        connection.execute("CHECKPOINT")
        started = time.perf_counter()
        build(connection, as_of=NIGHT, attribution_hours=24)
        seconds = time.perf_counter() - started
    return {
        "events": events,
        "rows": rows,
        "seconds": round(seconds, 2),
        "rows_per_second": round(rows / seconds),
        "peak_memory_mb": peak_memory_mb(),
    }


def time_tasks(rounds: int, folder: Path) -> dict[str, float]:
    """Read and build the tasks of this number of rounds; a shop of twice as many events has them."""
    with open_store(folder / "shop.duckdb", memory_limit="4GB") as connection:
        fill(connection, 2 * rounds, items=200)
        build(connection, as_of=NIGHT, attribution_hours=24)
    with open_store(folder / "shop.duckdb", memory_limit="4GB") as connection:
        started = time.perf_counter()
        tables = read_tables(connection, "recommendation", SETTINGS, NIGHT)
        read = time.perf_counter()
        tasks = build_tasks(tables, SETTINGS, NIGHT)
        built = time.perf_counter()
    return {
        "rounds": tasks.evidence.height,
        "context_columns": len(tasks.context_names),
        "read_seconds": round(read - started, 2),
        "build_seconds": round(built - read, 2),
        "peak_memory_mb": peak_memory_mb(),
    }


PARTS = {"warehouse": time_warehouse, "tasks": time_tasks}


def peak_memory_mb() -> float:
    """Return the largest resident size of this process; Linux counts in kilobytes."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def in_own_process(part: str, size: int, folder: Path | None) -> dict[str, float]:
    """Run one part of this script in a fresh interpreter, on files that are gone afterwards."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        command = [sys.executable, __file__, "--part", part, "--size", str(size), "--folder", place]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--events", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--rounds", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where the shops are written, and deleted")
    parser.add_argument("--part", choices=PARTS, help="run this part alone, at --size")
    parser.add_argument("--size", type=int)
    asked = parser.parse_args()
    if asked.part:
        figures: object = PARTS[asked.part](asked.size, asked.folder)
    else:
        builds = [in_own_process("warehouse", events, asked.folder) for events in sorted(asked.events)]
        small, large = builds[0], builds[-1]
        growth = math.log(large["seconds"] / small["seconds"]) / math.log(large["events"] / small["events"])
        figures = {
            "warehouse": builds,
            "growth_exponent": round(growth, 3),
            "tasks": in_own_process("tasks", asked.rounds, asked.folder),
        }
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
