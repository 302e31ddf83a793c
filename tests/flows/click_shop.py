"""A shop that logs clicks alone: its nights publish lists that nothing proves, within a second."""

from pathlib import Path

from flows.settings import read_settings
from flows.shops import FILES, write_config
from flows.workspace import Workspace
from tests.flows.spend_shop import EVENTS

KEY = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"


def click_shop(folder: Path) -> Workspace:
    """Write logs and configuration of the shop, whose newest day is 2026-01-05."""
    folder.mkdir()
    (folder / "key").write_text(f"{KEY}\n")
    (folder / "key").chmod(0o600)
    # What is clicked by more people, and later, comes first: rug, mug, lamp, vase.
    clicks = {"ann": ("mug", "rug", "lamp", "vase"), "ben": ("mug", "rug", "lamp"), "fay": ("mug", "rug")}
    lines = [
        f"{user}-{item},2026-01-0{day}T10:00:00Z,{user},{item},click"
        for user, items in clicks.items()
        for day, item in enumerate(items, start=2)
    ]
    (folder / "events-a.csv").write_text("\n".join(["id,at,who,what,did", *lines, ""]))
    config = folder / "metacart.toml"
    write_config(config, FILES, name="shop", logs=folder, data=folder / "data")
    text = config.read_text().replace('# key_file = "pseudonym.key"', 'key_file = "key"')
    text = text.replace("max_rejected_share = 0.01", "max_rejected_share = 0.9")
    config.write_text(text + EVENTS)
    return Workspace(read_settings(config))
