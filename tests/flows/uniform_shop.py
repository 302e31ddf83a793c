"""A shop that shows items at random, so that a few days tell which one is liked: its nights take seconds.

Phones like red things and desktops blue ones. Item r1 stands for tomorrow's best on phones, b1 on desktops.
"""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from flows.settings import read_settings
from flows.workspace import Workspace

FIRST = date(2026, 3, 1)
COLORS = {"r1": "red", "r2": "red", "b1": "blue", "b2": "blue"}
LIKED = {("phone", "red"): 0.5, ("desktop", "blue"): 0.4}
OTHERWISE = 0.05
USERS, VISITS_A_DAY = 240, 175

TOML = '''
[shop]
name = "uniform"
source = "files"
logs = "logs"
currency_code = "EUR"
[paths]
data = "data"
[privacy]
key_file = "key"
[night]
attribution_hours = 1
[segments]
by = ["device"]
min_rounds = 100
[learning]
learners = ["mixed_effects"]
[evaluation]
resamples = 100
min_ess = 50.0
[[files]]
path = "shown-*.csv"
[files.impressions]
columns = { IMPRESSIONS }
[[files]]
path = "clicked-*.csv"
[files.events]
columns = { EVENTS }
constants.event_type = "click"
[[files]]
path = "items.csv"
[files.items]
columns = { item_id = "item_id" }
expressions.attributes = """ '{"color": "' || color || '"}' """
[[files]]
path = "users.csv"
[files.users]
columns = { user_id = "user_id", device = "device" }
'''
_SHOWN = ("impression_id", "shown_at", "user_id", "session_id", "surface", "slot", "item_id")
IMPRESSIONS = (*_SHOWN, "propensity", "policy_version")
EVENTS = ("event_id", "occurred_at", "user_id", "session_id", "item_id", "impression_id")


def uniform_shop(folder: Path, n_days: int = 8, items: dict[str, str] | None = None) -> Workspace:
    """Write the shop and its first days; items: item → color, those that it has."""
    (folder / "logs").mkdir(parents=True)
    users = pl.DataFrame({"user_id": [f"u{n}" for n in range(USERS)]}).with_columns(
        device=pl.Series(["phone", "desktop"] * (USERS // 2))
    )
    users.write_csv(folder / "logs" / "users.csv")
    write_items(folder, items or COLORS)
    for day in range(n_days):
        write_day(folder, FIRST + timedelta(days=day), tuple(items or COLORS))
    # Pseudonyms order the users, and so the resamples of every interval.
    (folder / "key").write_text("0a" * 32 + "\n")
    (folder / "key").chmod(0o600)
    text = TOML
    for name, columns in (("IMPRESSIONS", IMPRESSIONS), ("EVENTS", EVENTS)):
        text = text.replace(name, ", ".join(f'{column} = "{column}"' for column in columns))
    (folder / "metacart.toml").write_text(text)
    return Workspace(read_settings(folder / "metacart.toml"))


def write_items(folder: Path, items: dict[str, str]) -> None:
    """Write the catalog."""
    frame = pl.DataFrame({"item_id": list(items), "color": list(items.values())})
    frame.write_csv(folder / "logs" / "items.csv")


def write_day(folder: Path, day: date, items: tuple[str, ...], colors: dict[str, str] | None = None) -> None:
    """Write one day of visits, in which each item is shown as often; colors: of items beside COLORS."""
    chance = np.random.default_rng(day.toordinal())
    color_of = COLORS | (colors or {})
    shown, clicked = [], []
    start = datetime.combine(day, datetime.min.time(), UTC)
    for visit in range(VISITS_A_DAY):
        user = int(chance.integers(USERS))
        item = items[int(chance.integers(len(items)))]
        at = start + timedelta(minutes=5 + 8 * visit)
        name = f"{day}-{visit}"
        visitor = f"u{user}", f"s{name}"
        shown.append((name, at.isoformat(), *visitor, "home", 1, item, 1 / len(items), "uniform"))
        device = ("phone", "desktop")[user % 2]
        if chance.random() < LIKED.get((device, color_of[item]), OTHERWISE):
            after = (at + timedelta(minutes=1)).isoformat()
            clicked.append((f"c{name}", after, *visitor, item, name))
    write_rows(folder, f"shown-{day}", IMPRESSIONS, shown)
    write_rows(folder, f"clicked-{day}", EVENTS, clicked)


def write_rows(folder: Path, name: str, columns: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    pl.DataFrame(rows, schema=columns, orient="row").write_csv(folder / "logs" / f"{name}.csv")
