from collections.abc import Callable
from datetime import UTC, date, datetime

import duckdb
import pytest

from features.errors import UsageError
from features.warehouse.retention import drop_old_rows, first_kept_day

Connection = duckdb.DuckDBPyConnection
Put = Callable[..., None]

DAY = date(2026, 1, 10)
LAST_MOMENT = datetime(2026, 1, 9, 23, 59, 59, 999999, tzinfo=UTC)
FIRST_MOMENT = datetime(2026, 1, 10, tzinfo=UTC)


@pytest.fixture
def shop(warehouse: Connection, put: Put) -> Connection:
    """Load 1 is old, 2 held nothing, 3 is new, 4 held nothing; each left a rejected line."""
    put("impressions", {"impression_id": "old", "shown_at": LAST_MOMENT}, load_number=1)
    put("impressions", {"impression_id": "new", "shown_at": FIRST_MOMENT}, load_number=3)
    put("ad_spend_daily", {"date": date(2026, 1, 9)}, {"date": DAY}, load_number=3)
    put("items", {"item_id": "shoe"}, load_number=3)
    for number in range(1, 5):
        warehouse.execute(
            "INSERT INTO load_manifest (load_number, source_name, file_sha256, n_bytes, n_lines, n_loaded, "
            "n_rejected, logs, key_id, contract_version) VALUES (?, 'f' || ?, '', 0, 2, 1, 1, [], '', '')",
            [number, number],
        )
        warehouse.execute("INSERT INTO rejected_lines VALUES (?, 1, 'rule', 'reason', NULL)", [number])
    return warehouse


def test_rows_from_before_the_day_go_and_no_others(shop: Connection) -> None:
    assert drop_old_rows(shop, DAY) == {"rejected_lines": 2, "raw_impressions": 1, "raw_ad_spend_daily": 1}
    assert shop.execute("SELECT impression_id FROM raw_impressions").fetchall() == [("new",)]
    assert shop.execute("SELECT date FROM raw_ad_spend_daily").fetchall() == [(DAY,)]
    assert shop.execute("SELECT count(*) FROM raw_items").fetchone() == (1,)
    assert shop.execute("SELECT load_number FROM rejected_lines ORDER BY 1").fetchall() == [(3,), (4,)]
    assert shop.execute("SELECT count(*) FROM load_manifest").fetchone() == (4,)


def test_dropping_twice_drops_nothing_more(shop: Connection) -> None:
    drop_old_rows(shop, DAY)

    assert drop_old_rows(shop, DAY) == {}


def test_the_night_itself_is_the_last_kept_day() -> None:
    assert first_kept_day(DAY, 1) == DAY
    with pytest.raises(UsageError, match="at least 1 day"):
        first_kept_day(DAY, 0)
