"""Values that a contract allows and no shop has: times of another unit, prices three digits off."""

from collections.abc import Callable
from datetime import UTC, datetime

import duckdb
import pytest

from features.contracts.logs import ADDED_UP, KEYS
from features.contracts.mapping import SourceFile
from features.errors import InputDataError
from features.sources.local_time import utc_time
from features.warehouse.load import LoadedFile, load_file
from reports.wording.sentences import say
from tests.laws.said_of_lines import rejected_lines

RECEIVED = datetime(2026, 1, 6, 4, tzinfo=UTC)
EVENT_NAMES = ("event_id", "occurred_at", "item_id", "event_type")
EVENTS = ",".join(EVENT_NAMES) + "\n"
ORDER_NAMES = (
    "order_id",
    "line",
    "ordered_at",
    "item_id",
    "quantity",
    "price_cents",
    "currency_code",
    "is_cancelled",
)
ORDERS = ",".join(ORDER_NAMES) + "\n"

Write = Callable[..., SourceFile]
Load = Callable[..., LoadedFile]
Connection = duckdb.DuckDBPyConnection


def load_received(warehouse: Connection, file: SourceFile, now: datetime | None = RECEIVED) -> LoadedFile:
    return load_file(warehouse, file, pseudonym_sql="user_id", key_id="k1", max_rejected_share=1.0, now=now)


def rejects(warehouse: Connection) -> list[tuple[int, str]]:
    return rejected_lines(warehouse)


def events(write: Write, *times: str, name: str = "events.csv", time: str = "occurred_at") -> SourceFile:
    text = EVENTS + "".join(f"e{number},{at},shoe,view\n" for number, at in enumerate(times))
    columns = {column: column for column in EVENT_NAMES} | {"occurred_at": time}
    return write(text, "events", name=name, columns=columns)


def orders(write: Write, *prices: int, name: str = "orders.csv", quantity: int = 1) -> SourceFile:
    text = ORDERS + "".join(
        f"{name}{number},1,2026-01-05T10:00:00Z,shoe,{quantity},{cents},EUR,false\n"
        for number, cents in enumerate(prices)
    )
    return write(text, "purchases", name=name, columns={column: column for column in ORDER_NAMES})


def test_seconds_among_milliseconds_are_quarantined_and_never_january_1970(
    warehouse: Connection, source_file: Write
) -> None:
    as_epoch = utc_time("occurred_at", formats=["epoch_ms"])
    file = events(source_file, "1767600000000", "1767600000", "1767600000000000", time=as_epoch)

    assert load_received(warehouse, file).n_rejected == 2
    [(second, early), (third, late)] = rejects(warehouse)
    assert (second, third) == (3, 4)
    assert "occurred_at lies before shop.first_day, 2000-01-01, by less than 30 years" in early
    assert "1970-01-21" not in early
    assert "occurred_at is a text of 28 characters; it must be a time" in late


def test_a_refusal_that_ends_in_a_question_has_one_mark(warehouse: Connection, source_file: Write) -> None:
    file = events(source_file, "2026-01-06T05:01:00Z")
    with pytest.raises(InputDataError, match=r"or another time zone\?$"):
        load_file(
            warehouse,
            file,
            pseudonym_sql="user_id",
            key_id="k1",
            max_rejected_share=0.0,
            now=RECEIVED,
            say=say,
        )


def test_a_row_may_be_later_than_its_file_by_the_error_of_a_clock_alone(
    warehouse: Connection, source_file: Write
) -> None:
    file = events(source_file, "2026-01-06T04:59:00Z", "2026-01-06T05:01:00Z")

    assert load_received(warehouse, file).n_rejected == 1
    [(_, reason)] = rejects(warehouse)
    assert "lies after 2026-01-06 04:00 UTC, when the file was received, by less than a year" in reason
    assert "05:01" not in reason


def test_a_file_that_is_read_anew_is_judged_by_when_it_first_came(
    warehouse: Connection, source_file: Write
) -> None:
    later = datetime(2026, 2, 1, tzinfo=UTC)
    content = ("2026-01-06T03:00:00Z", "2026-01-20T00:00:00Z")
    assert load_received(warehouse, events(source_file, *content)).n_rejected == 1

    # other content under the name, then the old one again a month later
    assert load_received(warehouse, events(source_file, content[0]), later).n_rejected == 0
    assert load_received(warehouse, events(source_file, *content), later).n_rejected == 1


def test_a_day_without_a_clock_may_have_begun_in_the_east(warehouse: Connection, source_file: Write) -> None:
    names = (*KEYS["ad_spend_daily"], *ADDED_UP["ad_spend_daily"])
    text = ",".join(names) + "\n"
    text += "".join(f"2026-01-0{day},a,feed,all,1,1,1,1,1\n" for day in (6, 7))
    columns = {name: f'"{name}"' for name in names}
    file = source_file(text, "ad_spend_daily", name="spend.csv", columns=columns)

    assert load_received(warehouse, file, datetime(2026, 1, 6, 8, tzinfo=UTC)).n_rejected == 1
    assert [line for line, _ in rejects(warehouse)] == [3]


@pytest.mark.parametrize("off", [1_999_000, 2])
def test_a_price_three_digits_off_its_items_own_is_quarantined(
    warehouse: Connection, source_file: Write, off: int
) -> None:
    assert load_received(warehouse, orders(source_file, *[1999] * 5)).n_rejected == 0

    load_received(warehouse, orders(source_file, 1999, off, name="more.csv"))
    [(line, reason)] = rejects(warehouse)
    assert line == 3
    assert f"price_cents has {len(str(off))} digits; the usual price of this item is 1999" in reason


def test_few_prices_don_t_say_what_an_item_costs(warehouse: Connection, source_file: Write) -> None:
    assert load_received(warehouse, orders(source_file, 1999, 1999, 1_999_000)).n_rejected == 0


def test_a_whole_file_of_another_unit_is_measured_by_the_files_before_it(
    warehouse: Connection, source_file: Write
) -> None:
    load_received(warehouse, orders(source_file, *[129_900] * 6))

    assert load_received(warehouse, orders(source_file, *[130] * 6, name="decimals.csv")).n_rejected == 6


def test_gifts_and_symbolic_prices_are_accepted(warehouse: Connection, source_file: Write) -> None:
    assert load_received(warehouse, orders(source_file, *[9900] * 6, 0, 1)).n_rejected == 0


def test_numbers_beyond_what_sums_hold_are_quarantined_and_overflow_nothing(
    warehouse: Connection, source_file: Write
) -> None:
    file = orders(source_file, 10**14, 10**15, quantity=1_000_000)

    assert load_received(warehouse, file).n_rejected == 2
    assert [reason for _, reason in rejects(warehouse)] == [
        "quantity times price_cents (digits: 7 and 15) must be at most 100000000000000",
        "price_cents is a number of 16 characters; it must be at most 100,000,000,000,000",
    ]
