"""Lines whose values are valid alone, but implausible next to the others: a price 500 times off the item's
usual price, a day whose credits exceed its spend, an item that no published list has.

They go to quarantine with the lines that break a rule of the contract, and count to the same limit. A few
days of credits don't, because they are not a sign of a broken file.
"""

from collections.abc import Iterator

import duckdb

from features.contracts.finding_sql import finding_sql
from features.contracts.findings import Finding, as_json
from features.contracts.logs import ADDED_UP, KEYS
from features.contracts.mapping import LINE, SourceFile
from features.contracts.sql_text import quoted
from features.contracts.value_shape import digits_sql
from features.warehouse.checked_lines import BROKEN_TEXT, CONTENT, CheckedFile, CheckedLines
from features.warehouse.log_columns import LogColumns

# A decimal point read as a thousands separator is a factor of 1,000; discounts and gifts stay far below 500.
PRICE_FACTOR = 500
# With fewer prices an item has no usual price. A price of one cent is symbolic, such as for a gift.
LEAST_PRICES, SYMBOLIC_CENTS = 5, 1

# Above this share of a file's lines, credits are probably numbers with the wrong sign.
FEW_CREDITS = 0.1

_PRICE_RULE = Finding("price_far_off", "price_cents", {"factor": PRICE_FACTOR})
# One rule for all columns that add up.
_SUM_RULE = Finding("negative_sum", "day")


def mark_implausible_lines(
    connection: duckdb.DuckDBPyConnection, file: SourceFile, checked: CheckedFile
) -> int:
    """Write the implausible lines to the temporary table implausible_lines; return their number.

    Its rows: line, rule, finding, the latter two as JSON. A line that breaks a rule of the contract has none.
    Those that are not what was published are in unserved_lines already (`find_unserved_lines`).
    """
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE implausible_lines AS SELECT line, rule, finding FROM unserved_lines"
    )
    for lines in checked.tables:
        for log in lines.logs:
            for query in _queries(file, lines, log):
                connection.execute(f"INSERT INTO implausible_lines {query}")
    [(n_lines,)] = connection.execute("SELECT count(DISTINCT line) FROM implausible_lines").fetchall()
    return int(n_lines)


def n_forgiven(connection: duckdb.DuckDBPyConnection, load_number: int, n_lines: int) -> int:
    """Return the number of rejected lines that don't count to the limit: days of credits, if they are few."""
    [(n_credits,)] = connection.execute(
        "SELECT count(*) FROM rejected_lines WHERE load_number = ? AND rule = ?",
        [load_number, as_json(_SUM_RULE)],
    ).fetchall()
    return int(n_credits) if n_credits <= FEW_CREDITS * n_lines else 0


def remember_prices(connection: duckdb.DuckDBPyConnection, load_number: int) -> None:
    """Keep each item's median price in the file that was stored, as its history for the files after it."""
    connection.execute(
        """
        INSERT INTO item_prices
        SELECT load_number, item_id, count(*), median(price_cents)
        FROM raw_purchases
        WHERE load_number = ? AND price_cents > ?
        GROUP BY ALL
        """,
        [load_number, SYMBOLIC_CENTS],
    )


def _queries(file: SourceFile, lines: CheckedLines, log: LogColumns) -> Iterator[str]:
    typed = {check.column: check.typed for check in log.checks}
    good = f"FROM ({lines.query}) WHERE {log.belongs} AND {BROKEN_TEXT} IS NULL"
    if log.mapping.log == "purchases" and "price_cents" in typed:
        yield _prices(typed["item_id"], typed["price_cents"], good)
    # the sum of a part is not the day's sum
    if log.mapping.log in ADDED_UP and not file.is_part:
        yield _negative_sums(log, typed, good)


def _prices(item: str, price: str, good: str) -> str:
    """Return the query that compares with the item's earlier files, or with too few prices with this file."""
    found = finding_sql(
        _PRICE_RULE.code,
        _PRICE_RULE.subject,
        _PRICE_RULE.numbers,
        digits=digits_sql("CAST(price_cents AS VARCHAR)"),
        usual="CAST(coalesce(earlier.usual_cents, here.usual_cents) AS BIGINT)",
    )
    return f"""
        WITH prices AS (SELECT {LINE} AS line, {item} AS item_id, {price} AS price_cents {good}),
        earlier AS (
            SELECT item_id, median(median_cents) AS usual_cents
            FROM item_prices
            GROUP BY item_id
            HAVING sum(n_prices) >= {LEAST_PRICES}
        ),
        here AS (
            SELECT item_id, median(price_cents) AS usual_cents
            FROM prices
            WHERE price_cents > {SYMBOLIC_CENTS}
            GROUP BY item_id
            HAVING count(*) >= {LEAST_PRICES}
        )
        SELECT
            line,
            {quoted(as_json(_PRICE_RULE))},
            {found}
        FROM prices LEFT JOIN earlier USING (item_id) LEFT JOIN here USING (item_id)
        WHERE price_cents > {SYMBOLIC_CENTS} AND (
            price_cents >= {PRICE_FACTOR} * coalesce(earlier.usual_cents, here.usual_cents)
            OR price_cents * {PRICE_FACTOR} <= coalesce(earlier.usual_cents, here.usual_cents)
        )
    """


def _negative_sums(log: LogColumns, typed: dict[str, str], good: str) -> str:
    key = KEYS[log.mapping.log]
    sums = [name for name in ADDED_UP[log.mapping.log] if name in typed]
    columns = ", ".join(f"{typed[name]} AS {name}" for name in (*key, *sums))
    once = "" if log.mapping.adds_identical_lines else f"QUALIFY {_is_first_of_its_content(key)}"
    found = " ".join(f"WHEN {name} < 0 THEN {finding_sql(_SUM_RULE.code, name)}" for name in sums)
    return f"""
        WITH checked AS (SELECT {LINE} AS line, {CONTENT} AS content, {columns} {good}),
        sums AS (
            SELECT {", ".join(key)}, {", ".join(f"sum({name}) AS {name}" for name in sums)}
            FROM (FROM checked {once})
            GROUP BY ALL
            HAVING {" OR ".join(f"sum({name}) < 0" for name in sums)}
        )
        SELECT
            line,
            {quoted(as_json(_SUM_RULE))},
            CASE {found} END
        FROM (SELECT line, {", ".join(key)} FROM checked) JOIN sums USING ({", ".join(key)})
    """


def _is_first_of_its_content(key: tuple[str, ...]) -> str:
    return f"dense_rank() OVER (PARTITION BY content, {', '.join(key)} ORDER BY line) = 1"
