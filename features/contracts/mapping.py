"""How a shop's file maps onto the logs: values that an adapter returns and the warehouse carries out."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from features.contracts.plain_text import shown

FileFormat = Literal["csv", "jsonl", "parquet"]

# What a mapping's SQL may read besides the file's own columns. No shop's file has columns of these names,
# so that they can't hide one: the number of the line (a CSV header is line 1; a row of Parquet counts
# from 1), an element of an unnested list as text, and its number in the list, from 1.
LINE = '"line of the file"'
ELEMENT = '"element of the list"'
ELEMENT_NUMBER = '"number of the element"'


@dataclass(frozen=True)
class LogMapping:
    """The part of a file that becomes rows of one log.

    columns: contract column → SQL expression over the file's own columns, which arrive as text; the
        warehouse casts the result to the contract's type. A nullable column may be left out. A value that
        the contract should reject comes out as text with a mark that says why (`refusal_marks`).
    where: SQL condition; lines that fail it, or where it is null, are no rows of this log.
    elements: SQL expression for a list, where one line holds many rows: each element is a row, which reads
        ELEMENT and ELEMENT_NUMBER beside the line's own columns, in `columns` and in `where`. An empty list
        is no row; a null stands for a list that can't be read, and is one row whose ELEMENT is null. Still
        counted are lines: one bad element sends its whole line to quarantine.
    one_row_per_key: keep the last line of each key alone, where a log is a by-product of another (the
        items of an event file); a table of one row per event would be a copy of the events.
    adds_identical_lines: of a log whose lines add up, also those that repeat another line of the file to the
        last character. By default such a line counts once, as a slip of the export.
    """

    log: str
    columns: Mapping[str, str]
    where: str | None = None
    elements: str | None = None
    one_row_per_key: bool = False
    adds_identical_lines: bool = False


@dataclass(frozen=True)
class SourceFile:
    """One file on disk and every log that it feeds.

    name: how tables and messages call the file, e.g. `random/men/men.csv`; the same on every machine. Control
        characters in it become escapes.
    required: names of the file's columns without which it is refused.
    optional: names that the mapping mentions and the file may lack (JSONL writes no key for a null): where
        one is absent it reads as null in every line.
    delimiter: what parts the fields of a CSV file.
    source: what the file belongs to: of a log whose lines add up, the newest file of a source states its days
        anew, and takes the place of what older files of that source said of them.
    is_part: it does not: the files of its source add up.
    encoding: what its text is written in; None for UTF-8, or UTF-16 with a mark that says so.
    skip_lines: how many lines of a CSV file stand above its header; a `sep=` line is known without it.
    join: another file, whose columns the mappings read like the file's own; the names in `required` and
        `optional` may be columns of either.
    """

    path: Path
    name: str
    file_format: FileFormat
    required: frozenset[str]
    logs: tuple[LogMapping, ...]
    optional: frozenset[str] = frozenset()
    delimiter: str = ","
    source: str = ""
    is_part: bool = False
    encoding: str | None = None
    skip_lines: int = 0
    join: "JoinedFile | None" = None

    def __post_init__(self) -> None:
        """Escape what would move a terminal's cursor or end a line of a log."""
        object.__setattr__(self, "name", shown(self.name))


@dataclass(frozen=True)
class JoinedFile:
    """A file of which each line of another file reads at most one line: campaigns, beside a log of touches.

    file: where it lies and how it is written; it feeds no log by itself.
    on: pairs of a column of the other file and a column of this one; a line's partner says the same in all of
        them, to the last character. What is empty has no partner.
    prefix: stands before the names of this file's columns in the mappings of the other file.
    null_values, is_trimmed: of keys, the words that stand for nothing, and whether spaces around them are not
        part of them.
    """

    file: SourceFile
    on: tuple[tuple[str, str], ...]
    prefix: str = ""
    null_values: tuple[str, ...] = ()
    is_trimmed: bool = False

    @property
    def key_names(self) -> tuple[str, ...]:
        """The columns of its key, by this file's names."""
        return tuple(theirs for _, theirs in self.on)

    @property
    def key(self) -> str:
        """Its key, for the sentence of an error."""
        return " and ".join(self.key_names)
