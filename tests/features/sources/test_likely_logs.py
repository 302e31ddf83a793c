"""A price makes an order of a line only where nothing says that the line is an impression or an act."""

import tomllib
from pathlib import Path

import pytest

from features.sources.propose import proposals

AT = "2026-01-05T10:00:00Z"
SHOWN = "impression_id;shown_at;user_id;session_id;item_id;position;clicked"
SHOWN_LINES = (f"i1;{AT};u1;s1;hat;1;1", f"i2;{AT};u1;s1;cap;2;0")


def drafted(folder: Path, content: str, name: str = "log.csv") -> tuple[list[str], tuple[str, ...]]:
    """Return the logs of a file's draft, and its columns that are named as not used."""
    (folder / name).write_text(content, encoding="utf-8")
    [found], _ = proposals([folder / name], folder)
    [table] = tomllib.loads(found.toml())["files"]
    assert [log.log for log in found.draft.logs] == [log for log in table if isinstance(table[log], dict)]
    return [log.log for log in found.draft.logs], found.draft.unused


def csv(header: str, *lines: str) -> str:
    return "\n".join((header, *lines)) + "\n"


def test_impressions_with_a_price_are_impressions_with_their_propensities(tmp_path: Path) -> None:
    content = csv(f"{SHOWN};price;propensity", *(f"{line};19.90;0.25" for line in SHOWN_LINES))

    assert drafted(tmp_path, content) == (["impressions", "events"], ("price",))
    [found], _ = proposals([tmp_path / "log.csv"], tmp_path)
    assert tomllib.loads(found.toml())["files"][0]["impressions"]["columns"]["propensity"] == "propensity"


def test_german_impressions_with_a_price_are_impressions(tmp_path: Path) -> None:
    header = "Zeitpunkt;Kunde;Artikel;Position;Klick;Preis"
    content = csv(header, "25.01.2026 10:00;k1;Hut;1;1;19,90", "25.01.2026 10:00;k1;Schal;2;0;9,90")

    assert drafted(tmp_path, content) == (["impressions", "events"], ("Preis",))


@pytest.mark.parametrize(
    ("header", "line"),
    [
        ("at,user,sku,impression_id", f"{AT},u1,hat,i1"),
        ("at,user,sku,slot", f"{AT},u1,hat,1"),
        ("at,user,sku,propensity", f"{AT},u1,hat,0.5"),
        ("at,user,sku,clicked", f"{AT},u1,hat,1"),
        ("at,user,sku,clicks", f"{AT},u1,hat,3"),
        ("at,user,sku,event_type,slot", f"{AT},u1,hat,click,1"),
        ("at,user,sku,order_id,position", f"{AT},u1,hat,o1,1"),
        ("at,user,sku,quantity,position", f"{AT},u1,hat,2,1"),
        ("at,user,sku,order_id,propensity,clicked", f"{AT},u1,hat,o1,0.5,1"),
    ],
)
def test_a_price_changes_no_log_of_a_file_that_says_what_its_lines_are(
    tmp_path: Path, header: str, line: str
) -> None:
    without, _ = drafted(tmp_path, csv(header, line))
    with_price, _ = drafted(tmp_path, csv(f"{header},price", f"{line},2.50"))

    assert with_price == without
    assert ("purchases" in with_price) == ("order_id" in header or "quantity" in header)


@pytest.mark.parametrize(
    ("name", "logs"),
    [
        ("clicks-2026-01.csv", ["events"]),
        ("product_views.csv", ["events"]),
        ("klicks.csv", ["events"]),
        ("sales.csv", ["purchases"]),
        ("orders_view.csv", ["purchases"]),
        ("export.csv", ["purchases"]),
    ],
)
def test_where_time_user_item_and_price_are_all_the_name_of_the_file_decides(
    tmp_path: Path, name: str, logs: list[str]
) -> None:
    assert drafted(tmp_path, csv("at,user,sku,price", f"{AT},u1,hat,2.50"), name)[0] == logs


@pytest.mark.parametrize(
    ("header", "line", "unused"),
    [
        (
            "order_id,at,sku,price,position,propensity,notes",
            f"o1,{AT},hat,2.50,1,0.5,soon",
            "position propensity",
        ),
        ("order_id,at,sku,price,total", f"o1,{AT},hat,2.50,2.50", ""),
        ("at,user,sku,price,event", f"{AT},u1,hat,2.50,purchase", ""),
        ("at,user,sku,quantity,price,event_id", f"{AT},u1,hat,1,2.50,e1", ""),
        ("at,user,sku,event,price,notes", f"{AT},u1,hat,view,2.50,soon", "price"),
        ("user_id,country,created_at,e-mail", f"u1,AT,{AT},ann@example.org", ""),
    ],
)
def test_known_columns_without_a_place_are_named_and_foreign_and_used_ones_are_not(
    tmp_path: Path, header: str, line: str, unused: str
) -> None:
    named = drafted(tmp_path, csv(header, line))[1]

    assert sorted(named) == unused.split()
