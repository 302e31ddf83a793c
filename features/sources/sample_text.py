"""The first lines of a text file, with its encoding and form."""

from dataclasses import dataclass
from pathlib import Path

from features.errors import InputDataError
from features.text_files import TextForm, text_chunks, text_form

# Bytes that are not UTF-8 are recognized by trying: a Chinese text is in gb18030, and any other in cp1252.
_CODE_PAGES = ("gb18030", "cp1252", "latin-1")
_MOST_BYTES = 1 << 26
_CHINESE = range(0x4E00, 0xA000)


@dataclass(frozen=True)
class SampleText:
    """Lines without their ends.

    encoding: the encoding for the mapping; None where it is recognized from the file.
    form: the form of the text.
    """

    lines: tuple[str, ...]
    encoding: str | None
    form: TextForm


def first_lines(path: Path, n_lines: int) -> SampleText:
    """Read the first lines of a file.

    Raises InputDataError where the file is not text.
    """
    raw = _first_bytes(path, n_lines, None)
    if b"\x00" in raw[:4096]:
        raise InputDataError(
            f"{path} holds bytes that are not text. Export a workbook or a database as CSV first."
        )
    try:
        return SampleText(_lines(raw.decode("utf-8-sig")), None, text_form(path))
    except UnicodeDecodeError as error:
        # A letter that the end of the piece cuts in two is not a sign of another encoding.
        if error.end == len(raw) and error.reason == "unexpected end of data":
            return SampleText(_lines(raw[: error.start].decode("utf-8-sig")), None, text_form(path))
    for encoding in _CODE_PAGES:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        # Two bytes that hardly any text of such a code page has, and many other files do.
        if encoding != "gb18030" and {0xFE, 0xFF} & set(raw):
            raise InputDataError(f"{path} can't be read: its bytes are not text in UTF-8 or a code page.")
        letters = [letter for letter in text[:4096] if ord(letter) > 127]
        is_chinese = sum(ord(letter) in _CHINESE for letter in letters) * 2 > len(letters)
        if encoding != "gb18030" or is_chinese:
            return SampleText(_lines(text), encoding, text_form(path, encoding))
    raise AssertionError("latin-1 reads any bytes")


def _first_bytes(path: Path, n_lines: int, encoding: str | None) -> bytes:
    text, n_newlines = bytearray(), 0
    for chunk in text_chunks(path, encoding):
        text += chunk
        n_newlines += chunk.count(b"\n")
        # one line of this length alone is not a line of a log
        if n_newlines > n_lines or len(text) > _MOST_BYTES:
            break
    lines = text.split(b"\n")
    return b"\n".join(lines[: n_lines + 1])


def _lines(text: str) -> tuple[str, ...]:
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    return tuple(lines[:-1] if lines[-1] == "" else lines)
