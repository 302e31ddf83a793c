"""Mentions of a person in a shop's own log files, which the shop has to erase itself, in any spelling.

A spelling is another text for the same id, or for one that looks like it: other blanks around it, another
letter case, another Unicode form. Whether it is the same person is for the mapping to say, or for the shop.
"""

import codecs
import re
import unicodedata
import zlib
from collections.abc import Iterable, Iterator

import duckdb

from features.contracts.mapping import SourceFile
from features.contracts.sql_text import identifier, quoted
from features.errors import InputDataError
from features.text_files import text_chunks
from features.warehouse.byte_search import count_words
from features.warehouse.shop_ids import ShopId

UNREADABLE = (duckdb.Error, EOFError, InputDataError, OSError, UnicodeError, zlib.error)
"""What reading a damaged log file raises."""

_BLANKS = r"[ \t\u00a0]*"
_USER_ID = "user_id"


def count_mentions(file: SourceFile, shop_id: ShopId) -> int:
    """Count the places in a CSV or JSONL file, or the rows of a Parquet file, that contain the id as a word.

    Never too few where the file contains the id as the contract gets it. Too many for a short id: `7` is also
    a quantity. A mapping that makes the id of several columns is not used. Raises one of UNREADABLE.
    """
    if file.file_format != "parquet":
        # CSV doubles a quote inside a quoted field.
        doubled = (text.replace('"', '""') for text in shop_id.texts)
        first, *others = dict.fromkeys((*shop_id.spellings, *doubled))
        return count_words(text_chunks(file.path, file.encoding), first, *others)
    with duckdb.connect() as connection:
        source, columns = _parquet(connection, file)
        held = " OR ".join(map(shop_id.held_by, columns))
        [(n_rows,)] = connection.execute(
            f"SELECT count(*) FROM {source} WHERE {held}", shop_id.parameters
        ).fetchall()
        return int(n_rows)


def spellings_like(file: SourceFile, user_id: str) -> set[str]:
    """Return the texts in a log file that are like an id: but for blanks, letter case and Unicode form.

    An id that the file writes with escapes is not found. Raises one of UNREADABLE.
    """
    if file.file_format == "parquet":
        with duckdb.connect() as connection:
            source, columns = _parquet(connection, file)
            cells = ", ".join(f"CAST({identifier(column)} AS VARCHAR)" for column in columns)
            rows = connection.execute(
                f"SELECT DISTINCT cell FROM (SELECT unnest([{cells}]) AS cell FROM {source}) "
                "WHERE lower(nfc_normalize(trim(cell))) = lower(nfc_normalize(trim(?)))",
                [user_id],
            )
            return {cell for (cell,) in rows.fetchall() if folded(cell) == folded(user_id)}
    like = _like(user_id)
    found: set[str] = set()
    for text in _texts(file, reach=4 * len(user_id) + 64):
        # Nearly no piece contains the id, and this search is faster than the expression.
        if folded(user_id) in unicodedata.normalize("NFC", text).casefold():
            for match in like.finditer(text):
                found |= {match.group(), match.group().strip()}
    return found


def folded(text: str) -> str:
    """Return what like spellings have in common.

    >>> folded("  Ann@Example.com ") == folded("ann@EXAMPLE.com")
    True
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text.strip()).casefold())


def read_as(files: Iterable[SourceFile], text: str) -> set[str]:
    """Return the ids that the mappings of the files make of a text in the column of the user's id.

    A mapping that makes an id of several columns is given the text for each; that is no id of anybody.
    """
    made = {
        (mapping.columns[_USER_ID], tuple(sorted(file.required | file.optional)))
        for file in files
        for mapping in file.logs
        if _USER_ID in mapping.columns
    }
    ids = set()
    with duckdb.connect() as connection:
        for expression, columns in sorted(made):
            named = ", ".join(f"$text AS {identifier(column)}" for column in columns) or "$text AS text"
            query = f"SELECT CAST(({expression}) AS VARCHAR) FROM (SELECT {named})"
            try:
                [(user_id,)] = connection.execute(query, {"text": text}).fetchall()
            except duckdb.Error:
                # it also reads an element of a list or the number of the line
                continue
            if user_id:
                ids.add(str(user_id))
    return ids


def _parquet(connection: duckdb.DuckDBPyConnection, file: SourceFile) -> tuple[str, list[str]]:
    source = f"read_parquet({quoted(str(file.path))})"
    return source, [str(row[0]) for row in connection.execute(f"DESCRIBE FROM {source}").fetchall()]


def _texts(file: SourceFile, reach: int) -> Iterator[str]:
    """Yield the text of a file in pieces, each with the end of the one before it."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    before = ""
    for chunk in text_chunks(file.path, file.encoding):
        seen = before + decoder.decode(chunk)
        yield seen
        before = seen[-reach:]


def _like(user_id: str) -> re.Pattern[str]:
    """Return the expression for all texts that are like the id, and the blanks around them."""
    signs = [
        {sign, unicodedata.normalize("NFD", sign), sign.casefold(), sign.upper()}
        for sign in unicodedata.normalize("NFC", user_id.strip())
    ]
    word = "".join(f"(?:{'|'.join(map(re.escape, sorted(forms)))})" for forms in signs)
    return re.compile(rf"{_BLANKS}(?<![0-9A-Za-z_]){word}(?![0-9A-Za-z_]){_BLANKS}", re.IGNORECASE)
