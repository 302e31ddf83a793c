"""A shop that logs what it shows, to whom, and what was clicked, and no propensity: two regions, two items.

In the north a hat is shown in 5 of 10 visits and clicked in 1 of 10; the shoe, shown in 4, is clicked in 5
of 10; a sock, shown in the last one, is clicked as the hat is. In the south hat and shoe change places. So
what is logged earns 0.26 clicks a visit, and the right item 0.5.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from features.deidentify import pseudonym, read_key
from flows.settings import read_settings
from flows.shops import FILES, write_config
from flows.workspace import Workspace

FIRST = datetime(2026, 1, 5, 8, tzinfo=UTC)
ITEMS = ("hat", "shoe", "sock")
SHOWN = {"north": (0.5, 0.4, 0.1), "south": (0.4, 0.5, 0.1)}
CLICKED = {"north": (0.1, 0.5, 0.1), "south": (0.5, 0.1, 0.1)}

TABLES = """
[[files]]
path = "users.csv"
[files.users]
columns = { user_id = "who", region = "region" }
[[files]]
path = "clicks-*.csv"
[files.events]
columns = { event_id = "id", occurred_at = "at", user_id = "who", item_id = "what", impression_id = "shown" }
constants = { event_type = "click" }
"""
IMPRESSIONS = """
[[files]]
path = "impressions-*.csv"
[files.impressions]
columns = { impression_id = "id", shown_at = "at", user_id = "who", session_id = "id", item_id = "what" }
constants = { surface = "home", policy_version = "v1", slot = 1 }
"""
ADS = """
[[files]]
path = "ads-*.csv"
[files.ad_impressions.columns]
ad_impression_id = "id"
shown_at = "at"
user_id = "who"
creative_id = "what"
is_clicked = "clicked"
[files.ad_impressions.constants]
campaign_id = "spring"
channel = "search"
cost_cents = 1
conversions = 0
conversion_value_cents = 0
"""

Choose = Callable[[np.random.Generator, str], int]


def by_chance(draw: np.random.Generator, region: str) -> int:
    """Choose an item as the shop does."""
    return int(draw.choice(3, p=SHOWN[region]))


def by_rule(_draw: np.random.Generator, region: str) -> int:
    """Choose an item by the region alone, with nothing left to chance."""
    return int(region == "south")


def always_the_same(_draw: np.random.Generator, _region: str) -> int:
    """Choose the only item there is."""
    return 0


def unlogged_shop(
    folder: Path,
    choose: Choose = by_chance,
    *,
    n_users: int = 120,
    n_days: int = 12,
    impressions: str = IMPRESSIONS,
    with_ads: bool = False,
    n_logged: int = 0,
) -> Workspace:
    """Write logs and configuration of the shop, a visit a day of every user.

    n_logged: of the newest impressions that have a propensity. impressions: the table that maps them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(1)
    regions = {f"user {n}": ("north", "south")[n % 2] for n in range(n_users)}
    shown, clicks, ads = ["id,at,who,what,chance"], ["id,at,who,what,shown"], ["id,at,who,what,clicked"]
    n_visits = n_days * n_users
    for visit in range(n_visits):
        who = f"user {visit % n_users}"
        region = regions[who]
        at = FIRST + timedelta(days=visit // n_users, minutes=4 * (visit % n_users))
        item = choose(draw, region)
        is_clicked = bool(draw.random() < CLICKED[region][item])
        chance = SHOWN[region][item] if visit >= n_visits - n_logged else ""
        shown.append(f"i{visit},{at:%Y-%m-%dT%H:%M:%SZ},{who},{ITEMS[item]},{chance}")
        ads.append(f"a{visit},{at:%Y-%m-%dT%H:%M:%SZ},{who},{ITEMS[item]} ad,{str(is_clicked).lower()}")
        if is_clicked:
            clicked_at = at + timedelta(minutes=1)
            clicks.append(f"c{visit},{clicked_at:%Y-%m-%dT%H:%M:%SZ},{who},{ITEMS[item]},i{visit}")
    users = [f"{who},{region}" for who, region in regions.items()]
    files = {"users": ["who,region", *users], "impressions-a": shown, "clicks-a": clicks}
    for name, lines in (files | ({"ads-a": ads} if with_ads else {})).items():
        (folder / f"{name}.csv").write_text("\n".join([*lines, ""]))
    config = folder / "metacart.toml"
    write_config(config, FILES, name="unlogged", logs=folder, data=folder / "data", overwrite=True)
    text = config.read_text()
    quick = {
        "min_rounds = 500": "min_rounds = 200",
        "resamples = 1000": "resamples = 200",
        'learners = ["mixed_effects", "popularity", "segment_item_rates", "crosses_logit", "maml"]': (
            'learners = ["popularity"]'
        ),
        "by = []": 'by = ["region"]',
    }
    for old, new in quick.items():
        assert old in text, f"{old} is not in the template"
        text = text.replace(old, new)
    config.write_text(text + TABLES + impressions + (ADS if with_ads else ""))
    return Workspace(read_settings(config))


SERVED = """
[[files]]
path = "served-*.csv"
[files.impressions.columns]
impression_id = "id"
shown_at = "at"
user_id = "who"
session_id = "id"
surface = "surface"
slot = "slot"
item_id = "what"
policy_version = "version"
run_id = "run"
"""


def write_served_day(folder: Path, table: Path, *, n_users: int, day: int) -> None:
    """Write a day, counted from 0, on which the first items of out_recommendations are shown at home.

    Every user visits once. One without a list is shown what the shop shows by itself.
    """
    draw = np.random.default_rng(day)
    first = pl.read_parquet(table).filter(slot_rank=1)
    key = read_key(folder / "data" / "secrets" / "unlogged.key")
    lists = {row["user_key"]: row for row in first.iter_rows(named=True)}
    shown, clicks = ["id,at,who,surface,slot,what,version,run"], ["id,at,who,what,shown"]
    for visit in range(n_users):
        who, region = f"user {visit}", ("north", "south")[visit % 2]
        row = lists.get(pseudonym(key, who))
        if row is None:
            row = {"item_id": ITEMS[by_chance(draw, region)], "policy_version": "v1", "run_id": ""}
        at, name, item = FIRST + timedelta(days=day, minutes=4 * visit), f"s{day}-{visit}", row["item_id"]
        shown.append(
            f"{name},{at:%Y-%m-%dT%H:%M:%SZ},{who},home,1,{item},{row['policy_version']},{row['run_id']}"
        )
        if draw.random() < CLICKED[region][ITEMS.index(item)]:
            clicks.append(f"c{name},{at + timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ},{who},{item},{name}")
    for name, lines in ((f"served-{day}", shown), (f"clicks-{day}", clicks)):
        (folder / f"{name}.csv").write_text("\n".join([*lines, ""]))
