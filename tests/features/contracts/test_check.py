from typing import ClassVar

import dataframely as dy
import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.contracts import columns
from features.contracts.check import ColumnCheck, check_output, column_checks, is_personal
from features.contracts.columns import optional
from features.contracts.findings import one_from_json
from features.contracts.limits import Limits
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
    return judged(CHECKS[column], text)


def judged(check: ColumnCheck, text: str | None) -> object:
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


WITHIN = "it must be above 1e-12 and at most 1"


@pytest.mark.parametrize(
    ("column", "text", "said"),
    [
        ("propensity", "0.25", "0.25"),
        ("propensity", "1", "1.0"),
        ("propensity", None, None),
        ("propensity", "0", f"propensity is a number of 1 character; {WITHIN}"),
        ("propensity", "1.7", f"propensity is a number of 3 characters; {WITHIN}"),
        ("propensity", "NaN", f"propensity is a number of 3 characters; {WITHIN}"),
        (
            "propensity",
            "1e999",
            f"propensity is a number of 5 characters; {WITHIN}",
        ),
        ("propensity", "half", "propensity is a text of 4 characters; it must be a number"),
        ("score", "-inf", "score is a number of 4 characters; it must be finite"),
        ("slot", "3", "3"),
        ("slot", "3.0", "3"),
        ("slot", "1.7", "slot is a number of 3 characters; it must be a whole number"),
        ("slot", "0x10", "slot is a text of 4 characters; it must be a whole number"),
        ("slot", "9223372036854775808", "slot is a number of 19 characters; it must be a whole number"),
        ("slot", "0", "slot is a number of 1 character; it must be at least 1"),
        ("slot", None, "slot is missing"),
        ("shown_at", "2026-01-05T10:00:00Z", "2026-01-05 10:00:00+00"),
        ("shown_at", "2026-01-05 10:00:00.5+02:00", "2026-01-05 08:00:00.5+00"),
        ("date", "2026-01-05", "2026-01-05"),
        (
            "date",
            "2026-01-05 10:00:00",
            "date is a text of 19 characters; it must be a day, as in 2026-01-05",
        ),
        ("date", "2026-02-30", "date is a text of 10 characters; it must be a day, as in 2026-01-05"),
        ("is_clicked", "True", "true"),
        ("is_clicked", "0", "false"),
        ("is_clicked", "yes", "is_clicked is a text of 3 characters; it must be true, false, 1 or 0"),
        ("event_type", "click", "click"),
        (
            "event_type",
            "buy",
            "event_type is a text of 3 characters; it must be one of view, click, add_to_cart, "
            "remove_from_cart",
        ),
        ("currency_code", "EUR", "EUR"),
        ("currency_code", "euro", "currency_code is a text of 4 characters; it must look like ^[A-Z]{3}$"),
        ("user_id", "", "user_id is an empty text"),
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
    kind = "number" if text.isdigit() or text == "infinity" else "text"
    assert judge("shown_at", text) == (
        f"shown_at is a {kind} of {len(text)} characters; it must be a time with its offset, as in "
        "2026-01-05T10:00:00Z"
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


@pytest.mark.parametrize(
    ("column", "text", "said"),
    [
        ("slot", "ann@example.org", "slot is a text of 15 characters with an @; it must be a whole number"),
        ("slot", "491701234567", "slot is a number of 12 characters; it must be at most 1,000"),
        (
            "propensity",
            "0,5\ue000other_number_form",
            "propensity is a text of 3 characters that is not",
        ),
        (
            "slot",
            "1.299\ue000two_readings\ue000not_an_amount",
            "slot is a number of 5 characters that",
        ),
        (
            "shown_at",
            "2026-03-29 02:30\ue000hour_skipped",
            "shown_at is a text of 16 characters in an",
        ),
        (
            "is_clicked",
            "A17\ue000other_invoice",
            "is_clicked is unknown: the invoice, a text of 3",
        ),
    ],
)
def test_a_reason_holds_the_shape_of_a_value_and_none_of_its_text(column: str, text: str, said: str) -> None:
    reason = str(judge(column, text))

    assert reason.startswith(said)
    assert text[:4] not in reason.removeprefix(said)


class Texts(dy.Schema):
    """Texts of every kind."""

    item_id = columns.item_id
    context = columns.context
    user_id = columns.user_id


@pytest.mark.parametrize(
    ("column", "text", "stored"),
    [
        ("item_id", "Cafe\u0301", "Café"),
        ("item_id", "a\x00b\x1b[31m\u202ec", "ab[31mc"),
        ("item_id", "two\tparts\nof it", "two parts of it"),
        ("item_id", "\x00\x07", "item_id is an empty text"),
        ("item_id", "é" * 5, "é" * 5),
        ("item_id", "é" * 6, "item_id has 6 characters; it may have 5"),
        ("context", r'{"a":"x\u0000\u001b\u202ey\nz"}', '{"a":"xy z"}'),
        ("context", r'{"a":"\\u0000"}', r'{"a":"\\u0000"}'),
        ("context", "x" * 21, "context has 21 characters; it may have 20"),
        ("user_id", "e\u0301\x00", "e\u0301\x00"),
        ("user_id", "longer", "user_id has 6 characters; it may have 5"),
    ],
)
def test_a_text_is_composed_without_characters_that_nobody_sees_and_of_limited_length(
    column: str, text: str, stored: str
) -> None:
    limits = Limits(max_text_characters=15 if len(text) > 6 else 5, max_json_characters=20)
    [check] = [check for check in column_checks(Texts, "", limits) if check.column == column]

    assert judged(check, text) == stored


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
