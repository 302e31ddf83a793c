import duckdb
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.contracts.budget import CLICKS_WITHIN_IMPRESSIONS
from features.contracts.dictionary import data_dictionary
from features.contracts.findings import one_from_json
from features.contracts.logs import LOGS, ROW_RULES
from features.contracts.row_rules import AtMost, ProductAtMost, RowRule
from reports.wording.sentences import say, say_rule

WHOLE = st.one_of(st.none(), st.integers(-3, 3))


RULES = (AtMost("low", "high"), ProductAtMost("low", "high", 4))
LARGE = st.one_of(st.none(), st.integers(1, 2**62))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.sentence)
@given(WHOLE, WHOLE)
def test_sql_and_polars_agree(rule: RowRule, low: int | None, high: int | None) -> None:
    if isinstance(rule, ProductAtMost):
        low, high = (low and abs(low)) or None, high and abs(high)
    assert_both_judge_alike(rule, low, high)


@given(LARGE, LARGE)
def test_a_product_beyond_64_bits_is_judged_and_overflows_nothing(low: int | None, high: int | None) -> None:
    assert_both_judge_alike(ProductAtMost("low", "high", 10**14), low, high)


def assert_both_judge_alike(rule: RowRule, low: int | None, high: int | None) -> None:
    broken = rule.in_sql({"low": "l", "high": "h"}).broken

    [(in_sql,)] = duckdb.execute(
        f"SELECT coalesce({broken}, false) FROM (SELECT ?::BIGINT AS l, ?::BIGINT AS h)", [low, high]
    ).fetchall()
    [in_polars] = pl.DataFrame(
        {"low": [low], "high": [high]}, schema={"low": pl.Int64, "high": pl.Int64}
    ).select(rule.holds().fill_null(True))

    assert in_sql == (not in_polars[0])


def test_the_reason_tells_how_long_both_values_are() -> None:
    rule = CLICKS_WITHIN_IMPRESSIONS.in_sql({"clicks": "5", "impressions": "4"})

    [(found,)] = duckdb.sql(f"SELECT {rule.reason}").fetchall()
    assert (
        say([one_from_json(found)])
        == "clicks is above impressions (digits: 1 and 1); it must be at most impressions"
    )


def test_every_rule_of_a_row_speaks_of_columns_of_its_log_and_is_in_the_dictionary() -> None:
    for log, rules in ROW_RULES.items():
        for rule in rules:
            assert rule.columns <= set(LOGS[log].column_names())
            assert say_rule(rule.in_sql(dict.fromkeys(rule.columns, "0")).finding) == rule.sentence
            assert f"In every row {rule.sentence}." in data_dictionary().partition(f"### {log}\n")[2]
