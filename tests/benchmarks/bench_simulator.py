"""How fast nights of logs are written: `.venv/bin/python tests/benchmarks/bench_simulator.py` prints JSON.

Goal: one million impressions, with all other logs of their nights, in 10 seconds on two cores, in memory that
doesn't grow with the number of nights.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from features.simulator.settings import WorldSettings
from features.simulator.shop import simulate

# about 36,000 impressions a night
FULL = WorldSettings(users=22_000, days=28)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=FULL.users)
    parser.add_argument("--days", type=int, default=FULL.days)
    parser.add_argument("--slots", type=int, default=FULL.slots)
    parser.add_argument("--world", default=FULL.world)
    parser.add_argument("--dirt", type=float, default=FULL.dirt)
    asked = vars(parser.parse_args())
    before = _peak_megabytes()
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        shop = simulate(WorldSettings(**asked), Path(folder) / "shop")
        seconds = time.perf_counter() - start
        n_bytes = sum(path.stat().st_size for path in shop.folder.rglob("*.csv"))
    impressions = shop.n_rows["impressions"]
    figures = {
        "benchmark": "simulator",
        **asked,
        "rows": dict(shop.n_rows),
        "megabytes": round(n_bytes / 1e6, 1),
        "seconds": round(seconds, 2),
        "impressions_per_second": round(impressions / seconds),
        "seconds_per_million_impressions": round(1e6 * seconds / impressions, 2),
        "peak_megabytes_before": before,
        "peak_megabytes": _peak_megabytes(),
    }
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")


def _peak_megabytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
