"""The shop's own id as a word: one law for SQL, for texts in memory and for the mask."""

import json

import duckdb
import pytest

from features.warehouse.shop_ids import ShopId, count_words, text_columns

# id, text, whether the id is there as a word, the text with a mask
TEXTS = [
    ("user-17", "user-17", True, "X"),
    ("user-17", "user-17-2026-01-05", True, "X-2026-01-05"),
    ("user-17", "user-170", False, "user-170"),
    ("user-17", "my_user-17", False, "my_user-17"),
    ("user-17", "user-17 user-17,user-17", True, "X X,X"),
    ("user-17", json.dumps({"note": "met\nuser-17"}), True, r'{"note": "met\nX"}'),
    ("größe-1", json.dumps({"size": "größe-1"}), True, '{"size": "X"}'),
    ("a/b-17", r'{"path": "a\/b-17"}', True, '{"path": "X"}'),
    ('o"h.*-1', json.dumps({"who": 'o"h.*-1'}), True, '{"who": "X"}'),
    ("a&b-17", "<td>a&amp;b-17</td>", True, "<td>X</td>"),
]


@pytest.mark.parametrize(("user_id", "text", "is_there", "masked"), TEXTS)
def test_a_word_is_found_and_masked_alike_everywhere(
    user_id: str, text: str, is_there: bool, masked: str
) -> None:
    shop_id = ShopId((user_id,))
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t AS SELECT ? AS said", [text])
        found = count_words(connection, "t", ["said"], shop_id)
        [(replaced,)] = connection.execute(
            f"SELECT {shop_id.masked('said')} FROM t", {"pattern": shop_id.pattern, "mask": "X"}
        ).fetchall()

    assert bool(found) == is_there == shop_id.is_in(text)
    assert replaced == masked == shop_id.mask_in(text, "X")


def test_texts_in_lists_records_and_json_are_searched_and_numbers_are_not() -> None:
    with duckdb.connect() as connection:
        connection.execute(
            """
            CREATE TABLE t AS SELECT 17 AS n, ['user-17'] AS names, {'who': 'user-17'} AS record,
                '{"who": "user-17"}'::JSON AS described, NULL::VARCHAR AS empty, DATE '2026-01-17' AS day
            """
        )
        columns = text_columns(connection, "t")
        assert columns == ["names", "record", "described", "empty"]
        found = count_words(connection, "t", columns, ShopId(("user-17",)))
    assert found == {"names": 1, "record": 1, "described": 1}


@pytest.mark.parametrize("user_id", ["7", "user", "search", "1234567890", "-12.5e3", "1e99999", "größen"])
def test_a_word_that_could_mean_something_else_is_not_distinct(user_id: str) -> None:
    assert not ShopId((user_id,)).is_distinct


def test_an_id_is_never_shown() -> None:
    assert "user-17" not in repr(ShopId(("user-17",)))
