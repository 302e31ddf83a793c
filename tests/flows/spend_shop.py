"""A shop that logs its spend per day alone: a whole night of it takes a second, since nothing is learned."""

from datetime import date, timedelta
from pathlib import Path

from flows.settings import read_settings
from flows.shops import FILES, write_config
from flows.workspace import Workspace

FIRST = date(2026, 1, 1)
SPEND = """
[[files]]
path = "spend-*.csv"
[files.ad_spend_daily]
columns = { date = "day", spend_cents = "cents", revenue_cents = "revenue" }
[files.ad_spend_daily.constants]
campaign_id = "c"
channel = "search"
segment_id = "all"
impressions = 0
clicks = 0
conversions = 0
"""
EVENTS = """
[[files]]
path = "events-*.csv"
[files.events]
columns = { event_id = "id", occurred_at = "at", user_id = "who", item_id = "what", event_type = "did" }
"""


def spend_shop(folder: Path, retention: str = "", n_days: int = 60) -> Workspace:
    """Write logs and configuration of the shop; retention: lines of that table."""
    folder.mkdir(parents=True, exist_ok=True)
    days = [FIRST + timedelta(days=day) for day in range(n_days)]
    spend = [f"{day},{1000 + 37 * n % 400},{3000 + 91 * n % 700}" for n, day in enumerate(days)]
    (folder / "spend-a.csv").write_text("\n".join(["day,cents,revenue", *spend, ""]))
    write_events(folder, "a", days[-1])
    config = folder / "metacart.toml"
    write_config(config, FILES, name="shop", logs=folder, data=folder / "data", overwrite=True)
    text = config.read_text().replace("[retention]", f"[retention]\n{retention}", 1)
    text = text.replace("max_rejected_share = 0.01", "max_rejected_share = 0.5")
    kept = [line for line in text.splitlines() if not retention or line != "work_nights = 7"]
    config.write_text("\n".join([*kept, SPEND, EVENTS]))
    return Workspace(read_settings(config))


def write_events(folder: Path, name: str, *days: date) -> None:
    """Write a file of one event per day."""
    rows = [f"{name}{day},{day}T10:00:00Z,ann,shoe,view" for day in days]
    (folder / f"events-{name}.csv").write_text("\n".join(["id,at,who,what,did", *rows, ""]))
