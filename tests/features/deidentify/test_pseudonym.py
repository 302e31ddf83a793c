import hashlib
import hmac
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.deidentify import ENVIRONMENT_VARIABLE, PseudonymKey, pseudonym, pseudonym_sql, read_key
from features.errors import UsageError

NOWHERE: dict[str, str] = {}
HEX = "ab" * 32


@settings(max_examples=25, deadline=None)
@given(secret=st.binary(min_size=32, max_size=32), user_id=st.text(alphabet=st.characters(codec="utf-8")))
def test_sql_equals_python(in_sql: Callable[..., Any], secret: bytes, user_id: str) -> None:
    key = PseudonymKey(secret)

    assert in_sql(pseudonym_sql(key, "x"), user_id) == pseudonym(key, user_id)
    assert pseudonym(key, user_id) == hmac.new(secret, user_id.encode(), hashlib.sha256).hexdigest()


def test_no_user_has_no_pseudonym(in_sql: Callable[..., Any]) -> None:
    assert in_sql(pseudonym_sql(PseudonymKey(bytes(32)), "x"), None) is None


def test_a_published_answer() -> None:
    """RFC 4231, test case 2."""
    assert pseudonym(PseudonymKey(b"Jefe"), "what do ya want for nothing?") == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


def test_keys_are_distinguished_without_showing_them() -> None:
    key, other = PseudonymKey(bytes(32)), PseudonymKey(b"1" * 32)

    assert key.key_id != other.key_id
    assert key.key_id not in key.secret.hex()
    assert repr(other) == "PseudonymKey()"


def test_the_first_night_makes_a_key_and_the_next_finds_it(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "key"

    key = read_key(path, create=True, environment=NOWHERE)

    assert len(key.secret) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_key(path, create=True, environment=NOWHERE) == key


def test_no_key_is_made_unasked(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no pseudonym key at"):
        read_key(tmp_path / "key", environment=NOWHERE)


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    assert read_key(tmp_path / "key", environment={ENVIRONMENT_VARIABLE: HEX}).secret.hex() == HEX


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    path.write_text(HEX)
    path.chmod(mode)

    with pytest.raises(UsageError, match=f"mode {mode:o}.*chmod 600"):
        read_key(path, environment=NOWHERE)


@pytest.mark.parametrize("text", [b"", b"abc", b"zz" * 32, b"ab" * 31, b"\xff\xfe" * 16, "ä".encode() * 64])
def test_what_is_not_a_key_is_refused_without_being_shown(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(text)
    path.chmod(0o600)

    with pytest.raises(UsageError, match="must be 64 hexadecimal characters") as caught:
        read_key(path, environment=NOWHERE)
    assert not text or text.decode("latin-1") not in str(caught.value)
