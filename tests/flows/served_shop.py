"""Days on which a published table acts in the uniform shop: a visitor is shown the first item of a list."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from features.deidentify import pseudonym, read_key
from tests.flows.uniform_shop import COLORS, EVENTS, IMPRESSIONS, LIKED, OTHERWISE, USERS, write_rows

SERVED = (*IMPRESSIONS, "run_id")


def write_served_day(
    folder: Path, day: date, table: Path, *, n_visits: int, lift: dict[str, float] | None = None
) -> None:
    """Write one day of visits on which the rows of out_recommendations are shown; lift: item → its factor.

    A visitor without a list is shown an item at random. The front end logs each row as the table has it.
    """
    chance = np.random.default_rng(day.toordinal())
    rows = pl.read_parquet(table).filter(pl.col("slot_rank") == 1)
    key = read_key(folder / "key")
    lists = {row["user_key"]: row for row in rows.iter_rows(named=True)}
    shown, clicked = [], []
    start = datetime.combine(day, datetime.min.time(), UTC)
    for visit in range(n_visits):
        user = int(chance.integers(USERS))
        row = lists.get(pseudonym(key, f"u{user}"))
        if row is None:
            item = tuple(COLORS)[int(chance.integers(len(COLORS)))]
            row = {"item_id": item, "propensity": 0.25, "policy_version": "uniform", "run_id": None}
        at = start + timedelta(seconds=60 + 80_000 * visit // n_visits)
        name, item = f"{day}-{visit}", row["item_id"]
        visitor = f"u{user}", f"s{name}"
        version = row["policy_version"], row["run_id"] if row["policy_version"] != "logging" else None
        shown.append((name, at.isoformat(), *visitor, "home", 1, item, row["propensity"], *version))
        device = ("phone", "desktop")[user % 2]
        likes = LIKED.get((device, COLORS[item]), OTHERWISE) * (lift or {}).get(row["policy_version"], 1.0)
        if chance.random() < likes:
            after = (at + timedelta(minutes=1)).isoformat()
            clicked.append((f"c{name}", after, *visitor, item, name))
    write_rows(folder, f"shown-{day}", SERVED, shown)
    write_rows(folder, f"clicked-{day}", EVENTS, clicked)
