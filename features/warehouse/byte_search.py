"""A search for a text in the bytes of a file, piece by piece, so that no whole file is in memory."""

from collections.abc import Iterable, Iterator
from pathlib import Path


def holds_text(path: Path, text: str) -> bool:
    """Return whether the bytes of a file on disk contain the text.

    In a compressed file a text is not found: search its rows instead.
    """
    needle = text.encode()
    with path.open("rb") as file:
        chunks = iter(lambda: file.read(1 << 22), b"")
        return any(needle in seen for seen in _overlapping(chunks, len(needle) - 1))


def count_words(chunks: Iterable[bytes], word: str, *spellings: str) -> int:
    """Count the occurrences of a word in the pieces of a file: text in UTF-8, or the bytes of any file.

    A word has no ASCII letter, digit, `_` or byte above 127 next to it, so that `user-1` is not found in
    `user-12`; the letter of an escape (`\\n`) is none of these.
    spellings: other spellings in the format, with escapes.
    """
    words = {text.encode() for text in (word, *spellings)}
    reach = max(map(len, words)) + 1
    n_found = 0
    seen = b"\n\n"
    for chunk in chunks:
        seen += chunk
        # A word that begins in the last bytes is left for the next piece, where its end is visible.
        last = max(len(seen) - reach, 2)
        n_found += sum(_count_before(seen, text, last) for text in words)
        seen = seen[last - 2 :]
    seen += b"\n"
    return n_found + sum(_count_before(seen, text, len(seen)) for text in words)


def _count_before(seen: bytes, word: bytes, last: int) -> int:
    """Count the words that begin after the first two bytes, which are only context, and before `last`."""
    n_found = 0
    place = seen.find(word, 2)
    while 0 <= place < last:
        ends = place + len(word)
        is_escape = seen[place - 2] == ord("\\") and seen[place - 1] in b"bfnrt"
        n_found += (is_escape or not _is_of_word(seen[place - 1])) and not _is_of_word(seen[ends])
        place = seen.find(word, place + 1)
    return n_found


def _is_of_word(byte: int) -> bool:
    return byte > 127 or byte == ord("_") or bytes((byte,)).isalnum()


def _overlapping(chunks: Iterable[bytes], n_bytes: int) -> Iterator[bytes]:
    """Yield each piece with the last bytes of the one before it, so that no text is cut between pieces."""
    before = b""
    for chunk in chunks:
        seen = before + chunk
        yield seen
        before = seen[max(len(seen) - n_bytes, 0) :]
