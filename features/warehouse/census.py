"""The census of a file before it is read as a table: its hash, its size, its lines.

The text streams past in small pieces, and the count stops at the first limit that it passes: a small
compressed file may hold more than the machine has room for.
"""

import gzip
import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np

from features.contracts.limits import DEFAULT_LIMITS, Limits
from features.errors import InputDataError
from features.text_files import CHUNK_BYTES, raw_chunks, text_form

_NEWLINE, _RETURN = b"\n\r"
# A longer line than the limit is one rejected line; one this many times as long is not of a log.
_FAR_TOO_LONG = 16
# A compressed text of this size is read whatever its compression: repeated lines of small logs shrink well.
_SMALL_TEXT_BYTES = 1 << 26


@dataclass(frozen=True)
class Census:
    """Counts of a file, taken without parsing.

    sha256, n_bytes: of the file on disk, compressed or not.
    n_lines: of its text; a last line without newline counts.
    empty_lines: numbers of the lines with nothing on them, the first line is 1.
    has_mixed_newlines: whether line ends differ; readers then disagree on what a line is.
    """

    sha256: str
    n_bytes: int
    n_lines: int
    empty_lines: tuple[int, ...]
    has_mixed_newlines: bool


def take_census(path: Path, *, has_lines: bool = True, limits: Limits = DEFAULT_LIMITS) -> Census:
    """Hash a file and count the lines of its text, uncompressed on the way when it ends in .gz.

    has_lines: false for a binary file, of which only hash and size are taken.
    Raises InputDataError when a compressed file is cut off or damaged, and at the first limit that is passed.
    """
    digest = hashlib.sha256()
    lines = _Lines(_Door(path, limits) if has_lines else None)
    # A plain file is read once; a compressed one twice, because its hash is not that of its text.
    counts_while_hashing = has_lines and path.suffix != ".gz"
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            if counts_while_hashing:
                lines.count(chunk)
    if has_lines and not counts_while_hashing:
        try:
            for chunk in raw_chunks(path):
                lines.count(chunk)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise InputDataError(f"{path} is not a complete gzip file ({error}); copy it again.") from error
    return Census(
        digest.hexdigest(), path.stat().st_size, lines.n_lines, tuple(lines.empty), lines.has_mixed_newlines
    )


class _Door:
    """The limits of one file, asked after each piece of its text."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self.path, self.limits = path, limits
        self.is_compressed = path.suffix == ".gz"
        self.most_bytes = limits.max_file_bytes
        if self.is_compressed:
            grown = max(path.stat().st_size * limits.max_expansion, _SMALL_TEXT_BYTES)
            self.most_bytes = min(self.most_bytes, grown)
        # elements of a JSON array and lines of an old Mac are counted once they are lines
        self.has_lines = text_form(path).is_plain
        self.n_bytes = self.n_since_newline = 0

    def admit(self, chunk: bytes, first_line: int, n_lines: int, n_empty: int) -> None:
        """Raise InputDataError if the file passes a limit with this piece of its text.

        first_line: the number of the line that the piece begins in; n_lines, n_empty: counts up to its end.
        """
        limits = self.limits
        self.n_bytes += len(chunk)
        last = chunk.rfind(b"\n")
        longest = self.n_since_newline + (chunk.find(b"\n") if last >= 0 else len(chunk))
        self.n_since_newline = len(chunk) - last - 1 if last >= 0 else longest
        if self.n_bytes > limits.max_file_bytes:
            self._refuse(f"its text has more than {limits.max_file_bytes:,} bytes", "max_file_bytes")
        if self.n_bytes > self.most_bytes:
            self._refuse(
                f"it grows to more than {limits.max_expansion:,} times its size when it is uncompressed",
                "max_expansion",
            )
        if n_lines > limits.max_lines:
            self._refuse(f"it has more than {limits.max_lines:,} lines", "max_lines")
        if n_empty > limits.max_empty_lines:
            self._refuse(f"it has more than {limits.max_empty_lines:,} empty lines", "max_empty_lines")
        if self.has_lines and longest > _FAR_TOO_LONG * limits.max_line_bytes:
            self._refuse(
                f"line {first_line:,} has more than {_FAR_TOO_LONG} times the "
                f"{limits.max_line_bytes:,} bytes that a line may have",
                "max_line_bytes",
            )

    def _refuse(self, what: str, key: str) -> NoReturn:
        raise InputDataError(
            f"{self.path} is not read: {what}. Export it again if it is damaged, in several files if it is "
            f"right, or raise limits.{key} in the configuration."
        )


class _Lines:
    """Counts that grow chunk by chunk; only the last two bytes are remembered."""

    def __init__(self, door: _Door | None) -> None:
        self.door = door
        self.n_newlines = self.n_returns = self.n_pairs = 0
        self.empty: list[int] = []
        # A newline in front of the file makes an empty first line look like any other.
        self.before = b"\n"

    def count(self, chunk: bytes) -> None:
        seen = np.frombuffer(self.before + chunk, np.uint8)
        n_known = len(self.before)
        newlines = seen == _NEWLINE
        returns = b"\r" in chunk or b"\r" in self.before
        ends_empty = newlines[1:] & newlines[:-1]
        if returns:
            is_return = seen == _RETURN
            self.n_returns += int(np.count_nonzero(is_return[n_known:]))
            pairs = newlines[1:] & is_return[:-1]
            self.n_pairs += int(np.count_nonzero(pairs[n_known - 1 :]))
            ends_empty[1:] |= pairs[1:] & newlines[:-2]
        # ends_empty[i] is about seen[i + 1], which is new from n_known on
        if ends_empty[n_known - 1 :].any():
            ends = np.flatnonzero(ends_empty[n_known - 1 :]) + n_known
            number_up_to = np.cumsum(newlines[n_known:])
            self.empty.extend((self.n_newlines + number_up_to[ends - n_known]).tolist())
        first_line = self.n_newlines + 1
        self.n_newlines += int(np.count_nonzero(newlines[n_known:]))
        self.before = seen[-2:].tobytes()
        if self.door:
            self.door.admit(chunk, first_line, self.n_newlines, len(self.empty))

    @property
    def n_lines(self) -> int:
        return self.n_newlines + (self.before[-1:] != b"\n")

    @property
    def has_mixed_newlines(self) -> bool:
        return self.n_returns not in {0, self.n_newlines} or self.n_returns != self.n_pairs
