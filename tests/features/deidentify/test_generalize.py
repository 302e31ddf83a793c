from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.deidentify.generalize import (
    postal_prefix,
    postal_prefix_sql,
    round_down,
    round_down_sql,
)
from features.errors import UsageError

# A long expression takes DuckDB some milliseconds to plan.
FEW = settings(max_examples=25, deadline=None)

In = Callable[..., Any]
TIMES = st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@FEW
@given(time=TIMES, to=st.sampled_from(["hour", "day"]))
def test_times_are_rounded_in_utc_whatever_zone_the_session_is_in(
    in_sql: In, time: datetime, to: Literal["hour", "day"]
) -> None:
    rounded = round_down(time, to)

    assert in_sql(f"epoch_us({round_down_sql('x', to)})", time, "TIMESTAMPTZ") == (
        (rounded - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    )
    assert timedelta(0) <= time - rounded < timedelta(**{f"{to}s": 1})


def test_a_time_elsewhere_lies_in_a_day_of_utc() -> None:
    late = datetime(2026, 1, 5, 23, 30, tzinfo=timezone(timedelta(hours=-5)))

    assert round_down(late, "day") == datetime(2026, 1, 6, tzinfo=UTC)


@FEW
@given(code=st.none() | st.text(st.sampled_from("0123456789abZß -é"), max_size=9), keep=st.integers(1, 5))
def test_a_postal_code_is_never_kept_whole(in_sql: In, code: str | None, keep: int) -> None:
    kept = postal_prefix(code, keep)

    assert kept is None or len(kept) < sum(
        character.isascii() and character.isalnum() for character in code or ""
    )
    assert in_sql(postal_prefix_sql("x", keep), code) == kept


def test_keep_must_keep_something() -> None:
    with pytest.raises(UsageError, match="keep must be at least 1"):
        postal_prefix_sql("x", 0)
