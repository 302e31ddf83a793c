"""Texts without what nobody sees, by Python and by the database alike."""

import json
import unicodedata

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from features.contracts.plain_text import plain_json_sql, plain_text, plain_text_sql, shown

DATABASE = duckdb.connect()
SIGNS = 'ab é\u0301\x00\x1b\t\n\r\x0b\x85\u2028\u200e\u202e\u2066\ue000\\"{}:n0u'


def ask(sql: str, text: str) -> str:
    [(found,)] = DATABASE.execute(f"SELECT {sql} FROM (SELECT CAST(? AS VARCHAR) AS said)", [text]).fetchall()
    return str(found)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=SIGNS, max_size=12))
def test_python_and_sql_agree_and_a_plain_text_stays(text: str) -> None:
    plain = plain_text(text)

    assert ask(plain_text_sql("said"), text) == plain == plain_text(plain)
    assert unicodedata.is_normalized("NFC", plain)
    assert all(unicodedata.category(sign) not in {"Cc", "Zl", "Zp"} for sign in plain)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.text(alphabet=SIGNS, max_size=5), st.text(alphabet=SIGNS, max_size=8), max_size=3))
def test_a_json_text_stays_json_and_holds_no_such_character(content: dict[str, str]) -> None:
    for is_ascii in (True, False):
        found = json.loads(ask(plain_json_sql("said"), json.dumps(content, ensure_ascii=is_ascii)))

        texts = [*found, *found.values()]
        assert all(unicodedata.category(sign) != "Cc" for text in texts for sign in text)
        assert len(found) <= len(content)


def test_what_is_shown_of_a_name_moves_no_cursor() -> None:
    assert shown("day\n1\x1b[2J\u202e\udc80.csv") == r"day\n1\x1b[2J\u202e\udc80.csv"
    assert shown("café 1.csv") == "café 1.csv"
