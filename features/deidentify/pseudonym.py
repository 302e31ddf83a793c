"""Keyed pseudonyms: a user id becomes HMAC-SHA256(key, user id) before anything is stored.

Without the key a pseudonym can't be traced back by hashing all possible ids. It is still personal data
(GDPR Art. 4(5)): a new key breaks the link between old rows and new ones, by design.
Source: RFC 2104, HMAC: H(key xor opad, H(key xor ipad, text)).
"""

import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from features.errors import UsageError

ENVIRONMENT_VARIABLE = "METACART_PSEUDONYM_KEY"
KEY_BYTES = 32
SHA256_BLOCK_BYTES = 64


class MissingKeyError(UsageError):
    """There is no key where the shop's key should be."""


@dataclass(frozen=True)
class PseudonymKey:
    """The secret of a shop's pseudonyms; its repr shows nothing of it."""

    secret: bytes = field(repr=False)

    @property
    def key_id(self) -> str:
        """The id of this key, 12 hexadecimal characters that reveal nothing about the secret."""
        return hmac.new(self.secret, b"metacart key id", hashlib.sha256).hexdigest()[:12]


def read_key(
    path: Path, *, create: bool = False, environment: Mapping[str, str] = os.environ
) -> PseudonymKey:
    """Return the key from METACART_PSEUDONYM_KEY, or else from the file: 64 hexadecimal characters.

    create: write a new random key with mode 0600 where there is none.
    Raises MissingKeyError without a key, UsageError when it is malformed, or others can read its file.
    """
    if text := environment.get(ENVIRONMENT_VARIABLE):
        return _parse(text, ENVIRONMENT_VARIABLE)
    if create and not path.exists():
        _write_new(path)
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        raise MissingKeyError(
            f"There is no pseudonym key at {path}; restore it, or start a shop with `metacart init`."
        ) from None
    if mode & 0o077:
        raise UsageError(f"Others can read the pseudonym key {path} (mode {mode:o}); run `chmod 600 {path}`.")
    # A key is ASCII: bytes of anything else are a damaged key, not a fault of metacart.
    return _parse(path.read_bytes().decode("ascii", "replace"), str(path))


def pseudonym(key: PseudonymKey, user_id: str) -> str:
    """Return the pseudonym of a user, 64 hexadecimal characters.

    >>> pseudonym(PseudonymKey(bytes(32)), "user-1")[:16]
    '0db11465ff5d6497'
    """
    return hmac.new(key.secret, user_id.encode(), hashlib.sha256).hexdigest()


def pseudonym_sql(key: PseudonymKey, column: str = "user_id") -> str:
    """Return the DuckDB expression that equals `pseudonym` of a text column; null stays null.

    The text holds the key's pads: never log it, and never show an error that quotes it.
    """
    padded = key.secret.ljust(SHA256_BLOCK_BYTES, b"\0")
    inner = bytes(byte ^ 0x36 for byte in padded).hex()
    outer = bytes(byte ^ 0x5C for byte in padded).hex()
    return f"sha256(unhex('{outer}') || unhex(sha256(unhex('{inner}') || encode(\"{column}\"))))"


def _parse(text: str, place: str) -> PseudonymKey:
    try:
        secret = bytes.fromhex(text.strip())
    except ValueError:
        secret = b""
    if len(secret) != KEY_BYTES:
        raise UsageError(f"The pseudonym key in {place} must be {2 * KEY_BYTES} hexadecimal characters.")
    return PseudonymKey(secret)


def _write_new(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # O_EXCL: of two first nights at once, one writes the key and the other fails instead of replacing it.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(KEY_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())
