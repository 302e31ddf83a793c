import duckdb
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from features.contracts.dictionary import data_dictionary
from features.contracts.logs import CLICKS_WITHIN_IMPRESSIONS, LOGS, ROW_RULES
from features.contracts.row_rules import AtMost

WHOLE = st.one_of(st.none(), st.integers(-3, 3))


@given(WHOLE, WHOLE)
def test_sql_and_polars_agree(low: int | None, high: int | None) -> None:
    rule = AtMost("low", "high")
    broken = rule.in_sql({"low": "l", "high": "h"}).broken

    [(in_sql,)] = duckdb.execute(
        f"SELECT coalesce({broken}, false) FROM (SELECT ?::BIGINT AS l, ?::BIGINT AS h)", [low, high]
    ).fetchall()
    [in_polars] = pl.DataFrame(
        {"low": [low], "high": [high]}, schema={"low": pl.Int64, "high": pl.Int64}
    ).select(rule.holds().fill_null(True))

    assert in_sql == (not in_polars[0])


def test_the_reason_tells_both_values() -> None:
    rule = CLICKS_WITHIN_IMPRESSIONS.in_sql({"clicks": "5", "impressions": "4"})

    assert duckdb.sql(f"SELECT {rule.reason}").fetchall() == [
        ("clicks is 5 and impressions 4; clicks must be at most impressions",)
    ]


def test_every_rule_of_a_row_speaks_of_columns_of_its_log_and_is_in_the_dictionary() -> None:
    for log, rules in ROW_RULES.items():
        for rule in rules:
            assert {rule.lesser, rule.greater} <= set(LOGS[log].column_names())
            assert f"In every row {rule.sentence}." in data_dictionary().partition(f"### {log}\n")[2]
