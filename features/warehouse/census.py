"""What a file holds before anyone reads it as a table: its hash, its size, its lines."""

import gzip
import hashlib
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from features.errors import InputDataError

CHUNK_BYTES = 1 << 22
_EMPTY_LINE = re.compile(rb"(?<=\n)\r?\n")


@dataclass(frozen=True)
class Census:
    """Counts of a file, taken without parsing.

    sha256, n_bytes: of the file as it lies on disk, compressed or not.
    n_lines: of its text; a last line without newline counts.
    empty_lines: numbers of the lines with nothing on them, the first line is 1.
    has_mixed_newlines: some lines end otherwise than the rest; readers then disagree on what a line is.
    """

    sha256: str
    n_bytes: int
    n_lines: int
    empty_lines: tuple[int, ...]
    has_mixed_newlines: bool


def take_census(path: Path) -> Census:
    """Hash a file and count the lines of its text, uncompressed on the way when it ends in .gz.

    Raises InputDataError when a compressed file is cut off or damaged.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    try:
        lines = _count_lines(text_chunks(path))
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputDataError(f"{path} is no whole gzip file ({error}); copy it again.") from error
    return Census(digest.hexdigest(), path.stat().st_size, *lines)


def text_chunks(path: Path) -> Iterator[bytes]:
    """Yield the text of a file piece by piece, uncompressed."""
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _count_lines(chunks: Iterator[bytes]) -> tuple[int, tuple[int, ...], bool]:
    n_newlines = n_returns = n_pairs = 0
    empty_lines: list[int] = []
    # The two bytes before the chunk, so that an empty line is seen across the seam. A newline in front
    # of the file makes an empty first line look like any other.
    before = b"\n"
    last = b"\n"
    for chunk in chunks:
        seen = before + chunk
        # Plain searches first: ten times as fast as the pattern, and empty lines are rare.
        if b"\n\n" in seen or b"\n\r\n" in seen:
            empty_lines.extend(_empty_lines(seen, len(before), n_newlines - before.count(b"\n")))
        n_newlines += chunk.count(b"\n")
        n_returns += chunk.count(b"\r")
        n_pairs += seen.count(b"\r\n") - before.count(b"\r\n")
        before = seen[-2:]
        last = chunk[-1:]
    has_mixed_newlines = n_returns not in {0, n_newlines} or n_returns != n_pairs
    return n_newlines + (last != b"\n"), tuple(empty_lines), has_mixed_newlines


def _empty_lines(seen: bytes, n_known: int, number: int) -> Iterator[int]:
    """Yield the line numbers of empty lines that end after the first n_known bytes.

    number: newlines of the file in front of `seen`.
    """
    counted = 0
    for match in _EMPTY_LINE.finditer(seen):
        if match.end() > n_known:
            number += seen.count(b"\n", counted, match.end())
            counted = match.end()
            yield number
