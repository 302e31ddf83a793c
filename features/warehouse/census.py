"""The census of a file before it is read as a table: its hash, its size, its lines."""

import gzip
import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from features.errors import InputDataError
from features.text_files import CHUNK_BYTES, raw_chunks

_NEWLINE, _RETURN = b"\n\r"


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


def take_census(path: Path, *, has_lines: bool = True) -> Census:
    """Hash a file and count the lines of its text, uncompressed on the way when it ends in .gz.

    has_lines: false for a binary file, of which only hash and size are taken.
    Raises InputDataError when a compressed file is cut off or damaged.
    """
    digest = hashlib.sha256()
    lines = _Lines()
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


class _Lines:
    """Counts that grow chunk by chunk; only the last two bytes are remembered."""

    def __init__(self) -> None:
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
        self.n_newlines += int(np.count_nonzero(newlines[n_known:]))
        self.before = seen[-2:].tobytes()

    @property
    def n_lines(self) -> int:
        return self.n_newlines + (self.before[-1:] != b"\n")

    @property
    def has_mixed_newlines(self) -> bool:
        return self.n_returns not in {0, self.n_newlines} or self.n_returns != self.n_pairs
