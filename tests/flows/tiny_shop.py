"""The smallest shops there are, at each level of logging: one user, one item or one day, or a few of each."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

from flows.settings import read_settings
from flows.shops import FILES, write_config
from flows.workspace import Workspace

Level = Literal["acts", "impressions", "propensities"]

FIRST = date(2026, 1, 5)

_CLICKS = """
[[files]]
path = "clicks-*.csv"
[files.events]
columns = { event_id = "id", occurred_at = "at", user_id = "who", item_id = "what"SHOWN }
constants = { event_type = "click" }
"""
_SHOWN = """
[[files]]
path = "shown-*.csv"
[files.impressions]
columns = { impression_id = "id", shown_at = "at", user_id = "who", item_id = "what"CHANCE }
constants = { surface = "home", policy_version = "v1", slot = 1, session_id = "visit" }
"""


@dataclass(frozen=True)
class Tiny:
    """How small a shop is. visits: a day, an hour apart in turn of its users; every second one is a click."""

    users: int
    items: int
    days: int
    visits: int = 6


def tiny_shop(
    folder: Path, level: Level, tiny: Tiny, *, min_rounds: int = 500, hours: int = 24, acts: bool = True
) -> Workspace:
    """Write logs and configuration. hours: attribution window. acts: whether clicks are logged."""
    folder.mkdir()
    tables = _CLICKS.replace("SHOWN", "" if level == "acts" else ', impression_id = "shown"') if acts else ""
    if level != "acts":
        tables += _SHOWN.replace("CHANCE", ', propensity = "chance"' if level == "propensities" else "")
    config = folder / "metacart.toml"
    write_config(config, FILES, name="tiny", logs=folder, data=folder / "data", overwrite=True)
    text = config.read_text()
    for old, new in {
        "min_rounds = 500": f"min_rounds = {min_rounds}",
        "attribution_hours = 24": f"attribution_hours = {hours}",
        "resamples = 1000": "resamples = 50",
        'learners = ["mixed_effects", "popularity", "segment_item_rates", "crosses_logit", "maml"]': (
            'learners = ["popularity"]'
        ),
    }.items():
        assert old in text, f"{old} is not in the template"
        text = text.replace(old, new)
    config.write_text(text + tables)
    for n_day in range(tiny.days):
        write_day(folder, level, tiny, FIRST + timedelta(days=n_day), acts=acts)
    return Workspace(read_settings(config))


def write_day(folder: Path, level: Level, tiny: Tiny, day: date, *, acts: bool = True) -> None:
    """Write the logs of a day; user, item and click of a visit are those of its number."""
    shown, clicks = ["id,at,who,what,chance"], ["id,at,who,what,shown"]
    for visit in range(tiny.visits):
        minute = visit * (20 * 60 // tiny.visits)
        user, item = f"user {visit % tiny.users}", f"item {(visit + day.day) * 7 % 11 % tiny.items}"
        name = f"{day}-{visit}"
        at = f"{day}T{minute // 60:02}:{minute % 60:02}"
        shown.append(f"i{name},{at}:00Z,{user},{item},{1 / tiny.items:.6f}")
        if visit % 2 == 0:
            clicks.append(f"c{name},{at}:30Z,{user},{item},i{name}")
    if acts:
        (folder / f"clicks-{day}.csv").write_text("\n".join([*clicks, ""]))
    if level != "acts":
        (folder / f"shown-{day}.csv").write_text("\n".join([*shown, ""]))
