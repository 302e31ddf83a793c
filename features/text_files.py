"""The text of a file as UTF-8 lines, from UTF-8, UTF-16, a code page, old line ends, or a JSON array.

Nearly every file is UTF-8 with a newline after each line; it passes through byte by byte. Other forms are
recognized by their first bytes, except code pages: these look alike, and a mapping has to name one.
"""

import codecs
import gzip
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from features.errors import InputDataError

CHUNK_BYTES = 1 << 20
UTF_8 = "utf-8"

# One element of a JSON array is kept in memory as a whole, up to this many bytes.
_ELEMENT_CHARACTERS = 1 << 26
_ARRAY = re.compile(rb"^(\xef\xbb\xbf)?\s*\[\s*[{\]]")
_BLANK = " \t\r\n"


@dataclass(frozen=True)
class TextForm:
    """The form of a file's text, by which its bytes become lines.

    encoding: the codec of its text.
    ends_with_return: lines end with a carriage return and nothing else, as on old Macs.
    is_json_array: it is one array; each element becomes a line.
    """

    encoding: str = UTF_8
    ends_with_return: bool = False
    is_json_array: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether the bytes are the lines already."""
        return self == TextForm()


def text_form(path: Path, encoding: str | None = None) -> TextForm:
    """Tell the form of a file by its first bytes.

    encoding: the encoding in the mapping; None for UTF-8, or UTF-16 where the file begins with its mark.
    """
    head = _head(path)
    said = encoding or UTF_8
    if codecs.lookup(said).name == UTF_8:
        said = _utf_16(head) or UTF_8
    elif codecs.lookup(said).name == "utf-16" and (found := _utf_16(head)):
        said = found
    text = head if said == UTF_8 else head.decode(said, errors="ignore").encode()
    return TextForm(
        encoding=said,
        ends_with_return=b"\r" in text[:-1] and b"\n" not in text,
        is_json_array=_ARRAY.match(text) is not None,
    )


def text_chunks(path: Path, encoding: str | None = None) -> Iterator[bytes]:
    """Yield the text of a file piece by piece: uncompressed, in UTF-8, with a newline behind each line.

    Raises InputDataError where the bytes are not in the encoding, or a JSON array is incomplete.
    """
    form = text_form(path, encoding)
    raw = raw_chunks(path)
    if form.is_plain:
        yield from raw
        return
    texts = _decoded(raw, form.encoding, path)
    if form.is_json_array:
        yield from (f"{element}\n".encode() for element in _elements(texts, path))
        return
    for text in texts:
        yield (text.replace("\r", "\n") if form.ends_with_return else text).encode()


def _head(path: Path) -> bytes:
    """Return the first piece of a file; empty where it can't be unpacked, which its reader will report."""
    try:
        return next(raw_chunks(path), b"")
    except (EOFError, OSError):
        return b""


def raw_chunks(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file piece by piece, uncompressed."""
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _utf_16(head: bytes) -> str | None:
    """Return which UTF-16 the text is, if it is: by its mark, or by the zeros of a header in plain
    letters."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16-le" if head.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
    even, odd = head[0:200:2], head[1:200:2]
    if len(odd) > 3 and not any(odd) and all(even):
        return "utf-16-le"
    return "utf-16-be" if len(odd) > 3 and not any(even) and all(odd) else None


def _decoded(chunks: Iterable[bytes], encoding: str, path: Path) -> Iterator[str]:
    """Yield the text without its byte order mark."""
    decoder = codecs.getincrementaldecoder(encoding)()
    is_first, n_lines = True, 1
    try:
        for chunk in chunks:
            text = decoder.decode(chunk)
            yield text.removeprefix("\ufeff") if is_first else text
            is_first, n_lines = False, n_lines + text.count("\n")
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise InputDataError(
            f"{path} is not {encoding} after line {n_lines} ({error.reason}). Name its encoding in its "
            '[[files]] table, such as encoding = "cp1252", or export it as UTF-8.'
        ) from error


def _elements(texts: Iterable[str], path: Path) -> Iterator[str]:
    """Yield each element of a JSON array as it is written, on one line.

    A newline is between tokens only, so a space in its place changes no value. To parse an element and write
    it again would round its numbers.
    """
    decode = json.JSONDecoder().raw_decode
    rest, has_begun = "", False
    for text in texts:
        rest += text
        position = 0
        while True:
            position = _past(rest, position, _BLANK if has_begun else _BLANK + "[")
            if not has_begun and position:
                has_begun = True
            position = _past(rest, position, _BLANK + ",")
            if position == len(rest) or rest[position] == "]":
                break
            try:
                _, end = decode(rest, position)
            except json.JSONDecodeError:
                break
            # A number at the end of a piece may continue in the next one.
            if end == len(rest):
                break
            yield rest[position:end].replace("\r", " ").replace("\n", " ")
            position = end
        rest = rest[position:]
        if len(rest) > _ELEMENT_CHARACTERS:
            break
    if rest.strip(_BLANK) != "]":
        raise InputDataError(
            f"{path} is a JSON array that is incomplete or has an error, after {_shown_end(rest)}. "
            "Export it again, one object on each line (JSON Lines) if that can be chosen."
        )


def _past(text: str, position: int, characters: str) -> int:
    while position < len(text) and text[position] in characters:
        position += 1
    return position


def _shown_end(rest: str) -> str:
    """Return where an array is incomplete, without a value of it: a line may be about a person."""
    return "its last element" if not rest.strip(_BLANK) else f"an element of {len(rest):,} characters"
