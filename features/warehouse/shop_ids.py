"""The shop's own id of a person as a word in texts: session ids, JSON, file names, pages.

A word has no ASCII letter, digit or `_` next to it, so that `user-1` is not found in `user-12`. In JSON text
the letter of an escape, as in `\\nuser-1`, is not part of the word.
"""

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import duckdb

from features.contracts.plain_text import plain_text
from features.contracts.sql_text import identifier

# The syntax that `re` and RE2 (DuckDB) share.
_STARTS, _ENDS = r"(^|[^0-9A-Za-z_]|\\[bfnrt])", "([^0-9A-Za-z_]|$)"
FEWEST_CHARACTERS = 6


@dataclass(frozen=True)
class ShopId:
    """The shop's own id of a person, in every spelling that stands for this person; its repr shows none."""

    texts: tuple[str, ...] = field(repr=False)

    @property
    def is_distinct(self) -> bool:
        """Whether a text that contains the id as a word hardly means anything else.

        A number can also be an amount or an item, and a short or plain word anything.

        >>> [ShopId((text,)).is_distinct for text in ("user-17", "ann@example.com", "7", "1234567", "search")]
        [True, True, False, False, False]
        """
        return all(_is_distinct(text) for text in self.texts)

    @cached_property
    def spellings(self) -> tuple[str, ...]:
        """The id as it is, as texts are stored, and with the escapes of JSON and HTML, each once."""
        forms = {form for text in self.texts for form in (text, plain_text(text)) if form}
        return tuple(sorted({spelling for form in forms for spelling in _spellings(form)}))

    @cached_property
    def pattern(self) -> str:
        """The regular expression for the word in any spelling; groups 1 and 2 are what stands around it."""
        return f"{_STARTS}(?:{'|'.join(map(re.escape, self.spellings))}){_ENDS}"

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters that the SQL of `held_by` and `masked` reads."""
        return {"pattern": self.pattern} | {f"spelling_{n}": text for n, text in enumerate(self.spellings)}

    def held_by(self, column: str) -> str:
        """Return the SQL condition that the text of a column contains the word."""
        text = f"CAST({identifier(column)} AS VARCHAR)"
        # a plain search first: it is several times faster, and nearly no text contains the word
        plain = " OR ".join(f"contains({text}, $spelling_{n})" for n in range(len(self.spellings)))
        return f"coalesce(({plain}) AND regexp_matches({text}, $pattern), false)"

    def masked(self, column: str) -> str:
        """Return the SQL expression for the text of a column with $mask in place of the word."""
        text = f"CAST({identifier(column)} AS VARCHAR)"
        # Two words with one sign between them share it: the first time, only every other one is replaced.
        for _ in range(2):
            text = f"regexp_replace({text}, $pattern, '\\1' || $mask || '\\2', 'g')"
        return text

    def is_in(self, text: str | None) -> bool:
        """Whether a text contains the word."""
        return text is not None and re.search(self.pattern, text) is not None

    def mask_in(self, text: str, mask: str) -> str:
        """Return a text with the mask in place of the word."""
        for _ in range(2):
            text = re.sub(self.pattern, lambda match: f"{match[1]}{mask}{match[2]}", text)
        return text


def count_words(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[str], shop_id: ShopId
) -> dict[str, int]:
    """Count the rows of a relation with the id as a word, by column; columns without one are left out."""
    if not columns:
        return {}
    counts = ", ".join(f"count(*) FILTER (WHERE {shop_id.held_by(column)})" for column in columns)
    [found] = execute(connection, f"SELECT {counts} FROM {relation}", shop_id.parameters).fetchall()
    return {column: int(n_rows) for column, n_rows in zip(columns, found, strict=True) if n_rows}


def text_columns(connection: duckdb.DuckDBPyConnection, relation: str) -> list[str]:
    """Return the columns of a relation with texts, also inside lists and records."""
    described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    return [str(row[0]) for row in described if re.search("VARCHAR|JSON|ENUM", str(row[1]))]


def execute(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: Mapping[str, str]
) -> duckdb.DuckDBPyConnection:
    """Run a query with those of the parameters that it reads.

    An id is a parameter and not a part of the query, because errors quote queries.
    """
    names = set(re.findall(r"\$(\w+)", query))
    return connection.execute(query, {name: text for name, text in parameters.items() if name in names})


def _is_distinct(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        has_letter = any(sign.isalpha() for sign in text)
        return len(text) >= FEWEST_CHARACTERS and has_letter and not text.isalpha()
    return False


def _spellings(text: str) -> Iterator[str]:
    yield text
    for is_ascii in (False, True):
        escaped = json.dumps(text, ensure_ascii=is_ascii)[1:-1]
        yield escaped
        yield escaped.replace("/", r"\/")
    yield html.escape(text)
