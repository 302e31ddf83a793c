"""The lines of flows/README.md that compute a user_key without metacart, run as they are written there."""

import re
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.deidentify import PseudonymKey, pseudonym

PAGE = (Path(__file__).parents[3] / "flows" / "README.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("\n## Find users again\n")[2].partition("\n## ")[0]
[PYTHON] = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)
DUCKDB, POSTGRESQL = re.findall(r"```sql\n(.*?)```", SECTION, re.DOTALL)
[VECTOR] = re.findall(r"^\| `([0-9a-f]{64})` \| `(.+)` \| `([0-9a-f]{64})` \|$", SECTION, re.MULTILINE)
IDS = st.text(st.characters(codec="utf-8"), min_size=1)


def in_python(key: str, user_id: str) -> str:
    names: dict[str, str] = {"key": key, "user_id": user_id}
    exec(compile(PYTHON, "README.md", "exec"), names)
    return names["user_key"]


def in_duckdb(key: str, user_id: str) -> str:
    with duckdb.connect() as connection:
        connection.execute(DUCKDB)
        [(user_key,)] = connection.execute("SELECT user_key(?, ?)", [key, user_id]).fetchall()
        return str(user_key)


@pytest.mark.parametrize("recipe", [in_python, in_duckdb])
def test_the_test_vector_holds(recipe) -> None:
    key, user_id, user_key = VECTOR
    assert user_id == "Zo\u00eb-17"
    assert recipe(key, user_id) == user_key == pseudonym(PseudonymKey(bytes.fromhex(key)), user_id)


@settings(max_examples=25)
@given(secret=st.binary(min_size=32, max_size=32), user_id=IDS)
def test_python_s_recipe_is_the_pseudonym(secret: bytes, user_id: str) -> None:
    assert in_python(secret.hex(), user_id) == pseudonym(PseudonymKey(secret), user_id)


def test_duckdb_s_recipe_is_the_pseudonym_of_a_column() -> None:
    ids = ["ann", " Zo\u00eb ", "e\u0301", "17.0", "\U0001f600", "a'b\"c", "x" * 300]
    for secret in (bytes(32), bytes(range(32)), b"\xff" * 32):
        with duckdb.connect() as connection:
            connection.execute(DUCKDB)
            found = connection.execute(
                "SELECT user_key(?, user_id) FROM (SELECT unnest(?::VARCHAR[]) AS user_id)",
                [secret.hex(), ids],
            ).fetchall()
        assert [key for (key,) in found] == [pseudonym(PseudonymKey(secret), user_id) for user_id in ids]


def test_postgresql_s_recipe_names_the_same_parts() -> None:
    """No server is at hand; its functions are those of pgcrypto, over bytes and not over texts."""
    assert re.search(r"hmac\(convert_to\(user_id, 'UTF8'\), decode\(key, 'hex'\), 'sha256'\)", POSTGRESQL)
