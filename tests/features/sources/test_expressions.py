import re
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import UsageError
from features.sources.expressions import MAX_CHARACTERS, MAX_DEPTH, parse_condition, parse_expression
from features.sources.functions import FUNCTIONS

LINE = {
    "price": "35.79",
    "n": "3",
    "name": "Red Hat",
    "empty": "",
    "gone": None,
    "odd name": "x",
    "end": "last",
    "payload": '{"price": "7.50", "lines": [{"sku": "shoe"}]}',
}


@pytest.fixture(scope="module")
def shelf():
    """One line of a file, in a database that may touch nothing else."""
    with duckdb.connect(config={"enable_external_access": False, "threads": 1}) as connection:
        columns = ", ".join(f'CAST(? AS VARCHAR) AS "{name}"' for name in LINE)
        connection.execute(f"CREATE TABLE lines AS SELECT {columns}", list(LINE.values()))
        yield connection


def value(shelf: duckdb.DuckDBPyConnection, text: str) -> object:
    expression = parse_expression(text, "key")
    row = shelf.execute(f"SELECT {expression.as_text().sql} FROM lines").fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("price", "35.79"),
        ("price * 100", "3579"),
        ("0.1 + 0.2", "0.3"),
        ("1 - 2 - 3", "-4"),
        ("2 + 3 * 4", "14"),
        ("-n * 2", "-6"),
        ("- - n", "3"),
        ("1 / 4", "0.25"),
        ("n / 0", None),
        ("name * 2", None),
        ("gone + 1", None),
        ("999999999999999999 * 999999999999999999 * 999999999999999999", None),
        ("100", "100"),
        ("round(price)", "36"),
        ("round(10)", "10"),
        ("round(price, 1)", "35.8"),
        ("floor(-0.5)", "-1"),
        ("greatest(n, 20, 4)", "20"),
        ("n || '-' || price", "3-35.79"),
        ("'it''s'", "it's"),
        ('"odd name" || "end"', "xlast"),
        ("NAME", "Red Hat"),
        ("n = 3.0", "true"),
        ("'3' = '3.0'", "false"),
        ("n < 20", "true"),
        ("n < '20'", "false"),
        ("n in (1, 2, 3)", "true"),
        ("name not in ('a', 'b')", "true"),
        ("n between 1 and 3 and name like 'Red%'", "true"),
        ("not n = 3 or n = 3", "true"),
        ("not (n = 3 or n = 3)", "false"),
        ("gone is null and name is not null", "true"),
        ("case n when 3 then 'three' else 'many' end", "three"),
        ("case when n > 5 then 'many' end", None),
        ("case when n > 5 then 1 else name end", "Red Hat"),
        ("coalesce(gone, name)", "Red Hat"),
        ("nullif(empty, '')", None),
        ("nullif(n, 3)", None),
        ("left(name, 3)", "Red"),
        ("right('0' || n, 2)", "03"),
        ("substring(name, 5)", "Hat"),
        ("split_part(name, ' ', 2)", "Hat"),
        ("regexp_replace(name, '[a-z]', '')", "R H"),
        ("regexp_extract(name, '(.)at', 1)", "H"),
        ("json_value(payload, '$.price') * 2", "15"),
        ("json_value(payload, '$.lines[0].sku')", "shoe"),
        ("json_value(name, '$.price')", None),
        ("length(name) + 1", "8"),
        ("starts_with(name, 'Red')", "true"),
        ("concat(name, n, 'x')", "Red Hat3x"),
    ],
)
def test_a_value(shelf: duckdb.DuckDBPyConnection, text: str, said: str | None) -> None:
    assert value(shelf, text) == said


@pytest.mark.parametrize(
    "text",
    [
        "(select 1)",
        "(select content from read_text('/etc/passwd'))",
        "read_text('/etc/passwd')",
        "read_csv('x.csv')",
        "getenv('HOME')",
        "current_setting('home_directory')",
        "getvariable('as_of')",
        "pg_catalog.lower(name)",
        "main.lines.name",
        "name; drop table lines",
        "name -- rest",
        "name /* rest */",
        "name) as x, (name",
        "cast(name as integer)",
        "name::integer",
        "'/etc/passwd'::blob",
        "name collate nocase",
        "lines.*",
        "*",
        "count(*)",
        "row_number() over ()",
        "[name]",
        "{'a': name}",
        "x -> x",
        "lambda x: x",
        "$1",
        "?",
        "E'\\x41'",
        "$$text$$",
        "name from lines",
        "repeat(name, 1000000000)",
        "lpad(name, 1000000000, 'x')",
        "left(name, 1001)",
        "left(name, n)",
        "regexp_matches(name, name)",
        "json_value(payload, '$.*')",
        "json_value(payload, name)",
        "exists (select 1)",
        "name in (select 1)",
    ],
)
def test_what_could_reach_beyond_its_line_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"^files\[0\]\.events\.where"):
        parse_condition(text, "files[0].events.where")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a value is expected, not the end, at character 1"),
        ("name name", "name is not expected here, at character 6"),
        ("(name", r"\) is expected, not the end, at character 6"),
        ("end", "a value is expected, not end"),
        ("case name end", "when is expected after case"),
        ("case when name then 1 end", "a condition is expected here"),
        ("name and n = 1", "a condition is expected here"),
        ("n = (n = 1)", "a condition is true or false by itself"),
        ("name not n", "in, like or between is expected after not"),
        ("left(name)", "left takes 2 arguments, not 1"),
        ("substring(name)", "substring takes 2 to 3 arguments, not 1"),
        ("concat()", "concat takes 1 arguments or more, not 0"),
        ("lowr(name)", "lowr is not a function of this language; it has abs, ceil,"),
        ("'open", '"\'" has no meaning here, at character 1'),
        ("1234567890123456789", "more than 18 digits"),
    ],
)
def test_a_fault_is_reported_with_its_place(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_expression(text, "key")


def test_a_where_must_be_true_or_false() -> None:
    with pytest.raises(UsageError, match="where must be a condition, as in event = 'view'"):
        parse_condition("name || 'x'", "where")


@pytest.mark.parametrize(
    "text", ["(" * (MAX_DEPTH + 1) + "n" + ")" * (MAX_DEPTH + 1), "n" * (MAX_CHARACTERS + 1)]
)
def test_nothing_is_so_deep_or_long_that_it_breaks_the_parser(text: str) -> None:
    with pytest.raises(UsageError, match=r"nested more than|is longer than"):
        parse_expression(text, "key")


def test_the_columns_are_known() -> None:
    expression = parse_expression("case when \"odd name\" = 'a' then lower(name) else price * n end", "key")

    assert expression.columns == {"odd name", "name", "price", "n"}


WORDS = st.sampled_from(
    [
        *LINE,
        *FUNCTIONS,
        *("'a'", "'$.price'", "''", "1", "0", "2.5", "'('", '"odd name"'),
        *("and", "or", "not", "in", "like", "between", "is", "null", "case", "when", "then", "else", "end"),
        *("(", ")", ",", "+", "-", "*", "/", "||", "=", "<", "<>", "--", ";", "select", "from", "lines", "."),
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(WORDS, max_size=12).map(" ".join))
def test_any_words_are_refused_or_read_their_line_and_never_fail(
    shelf: duckdb.DuckDBPyConnection, text: str
) -> None:
    try:
        expression = parse_expression(text, "key")
    except UsageError:
        return
    assert {name.lower() for name in expression.columns} <= {name.lower() for name in LINE} | {
        *FUNCTIONS,
        "select",
        "from",
        "lines",
    }
    if expression.columns <= set(LINE) and "'('" not in text:
        shelf.execute(f"SELECT {expression.as_text().sql} FROM lines").fetchall()


NUMBERS = st.one_of(st.sampled_from(["price", "n", "gone", "name", "0", "7", "0.125"]))


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        NUMBERS,
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from("+-*/"), inner).map(
                lambda part: f"({part[0]} {part[1]} {part[2]})"
            ),
            inner.map(lambda part: f"round({part}, 2)"),
            inner.map(lambda part: f"case when {part} > 1 then {part} else 'x' end"),
            st.tuples(inner, inner).map(lambda parts: f"coalesce({parts[0]}, {parts[1]} || 'x')"),
        ),
        max_leaves=8,
    )
)
def test_no_arithmetic_fails_on_any_line(shelf: duckdb.DuckDBPyConnection, text: str) -> None:
    value(shelf, text)


def test_the_readme_lists_every_function() -> None:
    page = (Path(__file__).parents[3] / "features" / "README.md").read_text()
    listed = page.partition("and the functions")[2].partition(".\n")[0]

    assert re.findall(r"`(\w+)`", listed) == sorted(FUNCTIONS)


NESTED = {
    "nullif": ("name", "nullif({}, 'none')"),
    "json_value": ("payload", "json_value({}, '$.price')"),
    "in": ("name", "case when {} in ('a', 'b') then 'c' else name end"),
    "between": ("name", "case when {} between 'a' and 'b' then 'c' else name end"),
    "case": ("name", "case {} when 'a' then 'b' when 'c' then 'd' else name end"),
}


@pytest.mark.parametrize("name", NESTED)
def test_a_nested_expression_grows_by_its_own_length_at_each_level(
    shelf: duckdb.DuckDBPyConnection, name: str
) -> None:
    inner, outer = NESTED[name]
    lengths = []
    for _ in range(15):
        inner = outer.format(inner)
        lengths.append(len(parse_expression(inner, "key").sql))
    steps = [after - before for before, after in pairwise(lengths[5:])]

    assert max(steps) < 2 * min(steps)
    assert value(shelf, inner) == (None if name == "json_value" else "Red Hat")


def test_a_value_that_is_read_twice_is_what_it_was(shelf: duckdb.DuckDBPyConnection) -> None:
    long = " || ".join(["name"] * 12)
    twelve = "Red Hat" * 12

    assert value(shelf, f"nullif({long}, 'x')") == twelve
    assert value(shelf, f"nullif({long}, '{twelve}')") is None
    assert value(shelf, f"case {long} when '{twelve}' then 'all' else 'none' end") == "all"
    assert value(shelf, f"case when {long} in ('x', '{twelve}') then 'in' end") == "in"
    assert value(shelf, f"case when not {long} between 'A' and 'B' then 'beyond' end") == "beyond"
    assert value(shelf, f"nullif(gone || {long}, 'x')") is None


def test_too_many_parts_behind_one_another_are_refused_in_a_sentence() -> None:
    with pytest.raises(UsageError, match="key has too many parts inside of each other"):
        parse_expression(" || ".join(["name"] * 500), "key")
