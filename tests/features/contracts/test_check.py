from typing import ClassVar

import dataframely as dy
import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.contracts import columns
from features.contracts.check import check_output, column_checks, is_personal
from features.contracts.columns import optional
from features.contracts.findings import one_from_json
from features.contracts.logs import LOGS, Users
from features.contracts.outputs import DOMAIN
from features.errors import MetacartError
from reports.wording.sentences import say


class Sample(dy.Schema):
    """One column of every kind that a log has."""

    propensity = optional(columns.propensity)
    slot = columns.slot
    shown_at = columns.shown_at
    date = columns.date
    is_clicked = columns.is_clicked
    event_type = columns.event_type
    currency_code = columns.currency_code
    user_id = columns.user_id
    score = columns.score


CHECKS = {check.column: check for check in column_checks(Sample)}


def judge(column: str, text: str | None) -> object:
    """Return the reason of the first broken rule, or the typed value when there is none."""
    check = CHECKS[column]
    reasons = " ".join(f"WHEN {rule.broken} THEN {rule.reason}" for rule in check.rules)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        row = connection.execute(
            f"SELECT CASE {reasons} END, {check.typed}::VARCHAR "
            f"FROM (SELECT *, {check.value} AS {check.typed} FROM (SELECT ?::VARCHAR AS {check.text}))",
            [text],
        ).fetchone()
    assert row is not None
    return say([one_from_json(row[0])]) if row[0] else row[1]


@pytest.mark.parametrize(
    ("column", "text", "said"),
    [
        ("propensity", "0.25", "0.25"),
        ("propensity", "1", "1.0"),
        ("propensity", None, None),
        ("propensity", "0", "propensity is 0; it must be above 0 and at most 1"),
        ("propensity", "1.7", "propensity is 1.7; it must be above 0 and at most 1"),
        ("propensity", "NaN", "propensity is NaN; it must be above 0 and at most 1"),
        ("propensity", "1e999", "propensity is 1e999; it must be above 0 and at most 1"),
        ("propensity", "half", "propensity is half; it must be a number"),
        ("score", "-inf", "score is -inf; it must be finite"),
        ("slot", "3", "3"),
        ("slot", "3.0", "3"),
        ("slot", "1.7", "slot is 1.7; it must be a whole number"),
        ("slot", "0x10", "slot is 0x10; it must be a whole number"),
        ("slot", "9223372036854775808", "slot is 9223372036854775808; it must be a whole number"),
        ("slot", "0", "slot is 0; it must be at least 1"),
        ("slot", None, "slot is missing"),
        ("shown_at", "2026-01-05T10:00:00Z", "2026-01-05 10:00:00+00"),
        ("shown_at", "2026-01-05 10:00:00.5+02:00", "2026-01-05 08:00:00.5+00"),
        ("date", "2026-01-05", "2026-01-05"),
        ("date", "2026-01-05 10:00:00", "date is 2026-01-05 10:00:00; it must be a day, as in 2026-01-05"),
        ("date", "2026-02-30", "date is 2026-02-30; it must be a day, as in 2026-01-05"),
        ("is_clicked", "True", "true"),
        ("is_clicked", "0", "false"),
        ("is_clicked", "yes", "is_clicked is yes; it must be true, false, 1 or 0"),
        ("event_type", "click", "click"),
        (
            "event_type",
            "buy",
            "event_type is buy; it must be one of view, click, add_to_cart, remove_from_cart",
        ),
        ("currency_code", "EUR", "EUR"),
        ("currency_code", "euro", 'currency_code is "euro"; it must look like ^[A-Z]{3}$'),
        ("user_id", "", "user_id is (not shown); it must not be empty"),
    ],
)
def test_text_becomes_a_value_or_a_reason(column: str, text: str | None, said: object) -> None:
    assert judge(column, text) == said


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-05",
        "2026-01-05 10:00:00",
        "2026-01-05 10:00:00 Europe/Berlin",
        "2026-01-05 10:00:00+99:00",
        "2026-13-05T10:00:00Z",
        "infinity",
        "1767600000",
    ],
)
def test_a_time_without_its_offset_is_refused(text: str) -> None:
    assert judge("shown_at", text) == (
        f"shown_at is {text}; it must be a time with its offset, as in 2026-01-05T10:00:00Z"
    )


@settings(deadline=None)
@given(st.floats(width=64))
def test_sql_and_polars_agree_on_a_propensity(value: float) -> None:
    frame = pl.DataFrame({"propensity": [value]})

    class Alone(dy.Schema):
        propensity = columns.propensity

    assert Alone.is_valid(frame) == (judge("propensity", repr(value)) == str(value) or value == 1)


def test_every_column_of_every_log_has_checks() -> None:
    for schema in LOGS.values():
        assert [check.column for check in column_checks(schema)] == schema.column_names()


def test_user_ids_are_personal_and_nothing_is_by_default() -> None:
    assert is_personal(Users, "user_id")
    assert not is_personal(Users, "region")


@pytest.mark.parametrize(
    "column",
    [dy.String(max_length=3), dy.Int64(check=lambda col: col > 1), dy.UInt8(), dy.List(dy.Int64())],
)
def test_a_rule_that_sql_could_not_keep_is_refused(column: dy.Column) -> None:
    class Unknown(dy.Schema):
        strange: ClassVar[dy.Column] = column

    with pytest.raises(TypeError):
        column_checks(Unknown)


class Output(dy.Schema):
    surface = columns.surface
    slot_rank = columns.slot_rank
    domain = DOMAIN
    score = optional(columns.score)
    score_upper = optional(columns.score_upper)

    @dy.rule()
    def score_is_below_its_upper_end(cls) -> pl.Expr:
        return pl.col("score") <= pl.col("score_upper")


GOOD = {"surface": ["home"], "slot_rank": [1], "domain": ["budget"], "score": [0.5], "score_upper": [1.0]}


def test_a_good_table_comes_back_in_the_order_and_types_of_its_contract() -> None:
    frame = pl.DataFrame(
        {"extra": [1], **dict(reversed(GOOD.items()))}, schema_overrides={"slot_rank": pl.Int32}
    )

    checked = check_output(frame, Output)

    assert checked.columns == list(GOOD)
    assert checked.schema["slot_rank"] == pl.Int64


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"slot_rank": [0]}, "Output breaks its contract. Rule min of slot_rank fails in 1 rows."),
        ({"score": [float("nan")]}, "Rule nan of score fails"),
        ({"domain": ["weather"]}, "of domain fails"),
        ({"surface": [None]}, "Rule nullability of surface fails"),
        ({"score": [2.0]}, "Rule score_is_below_its_upper_end fails in 1 rows."),
    ],
)
def test_a_broken_table_is_refused_rule_by_rule(change: dict[str, list[object]], said: str) -> None:
    with pytest.raises(MetacartError, match=said):
        check_output(pl.DataFrame(GOOD | change, strict=False), Output)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(MetacartError, match="Output lacks the columns domain; it has surface, slot_rank"):
        check_output(pl.DataFrame(GOOD).drop("domain"), Output)


def test_a_prefix_keeps_the_columns_of_two_logs_apart() -> None:
    plain, prefixed = (column_checks(LOGS["items"], prefix)[0] for prefix in ("", "log 1: "))

    assert (plain.text, plain.typed) == ('"item_id"', '"item_id typed"')
    assert (prefixed.text, prefixed.typed) == ('"log 1: item_id"', '"log 1: item_id typed"')
    assert prefixed.rules[0].finding == plain.rules[0].finding
