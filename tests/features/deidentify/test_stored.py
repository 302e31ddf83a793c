from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from features.deidentify.stored import stored_sql

In = Callable[..., Any]


@pytest.mark.parametrize(
    ("metadata", "value", "stored"),
    [
        (None, "ann@example.com", "ann@example.com"),
        ({"unit": "cents"}, "12", "12"),
        ({"personal": True}, "Ann", None),
        ({"personal": True, "generalize": "postal prefix"}, "10115", "10"),
        ({"free_text": "text"}, "mail ann@example.com", "mail [email]"),
        ({"free_text": "json"}, '{"mail": "ann@example.com"}', '{"mail": "[email]"}'),
    ],
)
def test_a_column_is_stored_as_its_contract_says(
    in_sql: In, metadata: dict[str, object] | None, value: str, stored: str | None
) -> None:
    assert in_sql(stored_sql("x", metadata), value) == stored


def test_a_time_can_be_stored_by_its_day(in_sql: In) -> None:
    kept = in_sql(stored_sql("x", {"generalize": "day"}), "2026-01-05T10:59:00Z", "TIMESTAMPTZ")

    assert kept == datetime(2026, 1, 5, tzinfo=UTC)


def test_a_treatment_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(KeyError):
        stored_sql("x", {"personal": True, "generalize": "century"})
