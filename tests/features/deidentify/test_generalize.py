from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Literal

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.deidentify.generalize import (
    band,
    band_sql,
    postal_prefix,
    postal_prefix_sql,
    rare_to_other,
    rare_to_other_sql,
    round_down,
    round_down_sql,
)
from features.errors import UsageError

# A long expression takes DuckDB some milliseconds to plan.
FEW = settings(max_examples=25, deadline=None)

In = Callable[..., Any]
TIMES = st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
EDGES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5, unique=True).map(sorted)


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
@given(value=st.none() | st.floats(), edges=EDGES)
def test_bands_are_the_same_in_sql(in_sql: In, value: float | None, edges: list[float]) -> None:
    assert in_sql(band_sql("x", edges), value, "DOUBLE") == band(value, edges)


def test_an_edge_belongs_to_the_band_above(in_sql: In) -> None:
    assert [in_sql(band_sql("x", (18, 65)), age, "BIGINT") for age in (17, 18, 65)] == [
        "under 18",
        "18 to 65",
        "65 and over",
    ]


@pytest.mark.parametrize("edges", [(), (2, 1), (1, 1), (1, float("nan")), (float("inf"),)])
def test_edges_that_make_no_bands_are_refused(edges: tuple[float, ...]) -> None:
    with pytest.raises(UsageError, match="must be finite and increase"):
        band(1.0, edges)


@FEW
@given(code=st.none() | st.text(st.sampled_from("0123456789abZß -é"), max_size=9), keep=st.integers(1, 5))
def test_a_postal_code_is_never_kept_whole(in_sql: In, code: str | None, keep: int) -> None:
    kept = postal_prefix(code, keep)

    assert kept is None or len(kept) < sum(
        character.isascii() and character.isalnum() for character in code or ""
    )
    assert in_sql(postal_prefix_sql("x", keep), code) == kept


@FEW
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from([None, "red", "blue", "mauve"]), st.sampled_from([None, "ann", "ben", "cem"])
        ),
        min_size=1,
    ),
    k=st.integers(1, 4),
)
def test_rare_categories_are_the_same_in_sql(rows: list[tuple[str | None, str | None]], k: int) -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t (place INT, x VARCHAR, person VARCHAR)")
        marks = ", ".join(["(?, ?, ?)"] * len(rows))
        values = [value for place, row in enumerate(rows) for value in (place, *row)]
        connection.execute(f"INSERT INTO t VALUES {marks}", values)
        answer = connection.execute(
            f"SELECT {rare_to_other_sql('x', 'person', k)} FROM t ORDER BY place"
        ).fetchall()

    assert [row[0] for row in answer] == rare_to_other(*map(list, zip(*rows, strict=True)), k=k)


def test_one_person_with_many_rows_is_still_one() -> None:
    assert rare_to_other(["mauve"] * 50, ["ann"] * 50, k=2) == ["other"] * 50


def test_k_and_keep_must_hide_something() -> None:
    with pytest.raises(UsageError, match="k must be at least 1"):
        rare_to_other([], [], k=0)
    with pytest.raises(UsageError, match="keep must be at least 1"):
        postal_prefix_sql("x", 0)
