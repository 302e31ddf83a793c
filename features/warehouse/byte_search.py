"""Does a file hold a text? Asked of the bytes, piece by piece, so that no file is ever held whole."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from features.text_files import text_chunks


def holds_text(path: Path, text: str) -> bool:
    """Say whether the bytes of a file, as they lie on disk, hold the text.

    A compressed file shows no text it holds: ask for its rows instead.
    """
    needle = text.encode()
    with path.open("rb") as file:
        chunks = iter(lambda: file.read(1 << 22), b"")
        return any(needle in seen for seen in _overlapping(chunks, len(needle) - 1))


def count_words(path: Path, word: str, *spellings: str) -> int:
    """Count how often a text file (.gz is uncompressed on the way) holds a word by itself.

    By itself: no ASCII letter, digit, `_` or byte above 127 stands right before or behind it, so that
    `user-1` is not found in `user-12`. spellings: how else the format writes it, with escapes.
    """
    words = {text.encode() for text in (word, *spellings)}
    reach = max(map(len, words)) + 1
    n_found = 0
    seen = b"\n"
    for chunk in text_chunks(path):
        seen += chunk
        # What begins in the last bytes is left for the next piece, where one can see how it ends.
        last = max(len(seen) - reach, 1)
        n_found += sum(_count_before(seen, text, last) for text in words)
        seen = seen[last - 1 :]
    seen += b"\n"
    return n_found + sum(_count_before(seen, text, len(seen)) for text in words)


def _count_before(seen: bytes, word: bytes, last: int) -> int:
    """Count the words that begin after the first byte, which is there to be looked at, and before `last`."""
    n_found = 0
    place = seen.find(word, 1)
    while 0 <= place < last:
        ends = place + len(word)
        n_found += not (_is_of_word(seen[place - 1]) or _is_of_word(seen[ends]))
        place = seen.find(word, place + 1)
    return n_found


def _is_of_word(byte: int) -> bool:
    return byte > 127 or byte == ord("_") or bytes((byte,)).isalnum()


def _overlapping(chunks: Iterable[bytes], n_bytes: int) -> Iterator[bytes]:
    """Put the last bytes of each piece in front of the next, so that no text is cut by a seam."""
    before = b""
    for chunk in chunks:
        seen = before + chunk
        yield seen
        before = seen[max(len(seen) - n_bytes, 0) :]
