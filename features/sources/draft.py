"""The draft of a mapping as records, and as TOML for a person to correct."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from features.sources.blanks import BLANK
from features.sources.expressions import WORDS
from features.sources.sample import Column

Kind = Literal["found", "assumed", "blank", "off"]

EXAMPLE_CHARACTERS = 40


@dataclass(frozen=True)
class Line:
    """One line of a draft.

    kind: found in the file; assumed, and to be checked; a blank to fill in; or off, offered behind a `#`.
    value: as TOML. said: the comment, empty for none.
    """

    key: str
    value: str
    said: str = ""
    kind: Kind = "found"

    def toml(self) -> str:
        """Return the line for the configuration."""
        said = f"  # {comment(self.said, 400)}" if self.said else ""
        return f"{'# ' if self.kind == 'off' else ''}{self.key} = {self.value}{said}"


@dataclass(frozen=True)
class LogDraft:
    """The part of a draft for one log."""

    log: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class FileDraft:
    """The `[[files]]` table of files of one form.

    lines: keys of the file itself, without its path.
    remarks: sentences on columns that were found and left out; none contains a value of the file.
    unused: names of columns whose meaning is known, and which no log here has a place for.
    currency_code: of its amounts, where it names one.
    """

    lines: tuple[Line, ...]
    logs: tuple[LogDraft, ...]
    remarks: tuple[str, ...]
    currency_code: str | None = None
    unused: tuple[str, ...] = ()

    @property
    def meaning(self) -> tuple[tuple[str, str, str], ...]:
        """The effect on a loader: log, key and value of each line, without comments and examples."""
        of_file = [("", line.key, line.value) for line in self.lines if line.kind != "off"]
        return (
            *of_file,
            *(
                (log.log, line.key, line.value)
                for log in self.logs
                for line in log.lines
                if line.kind != "off"
            ),
        )

    def toml(self, path: str) -> str:
        """Return the table for files that a path or a pattern names."""
        return "\n".join([f"[[files]]\npath = {toml_text(path)}", *self._lines()]) + "\n"

    def _lines(self) -> Iterator[str]:
        yield from (line.toml() for line in self.lines)
        for log in self.logs:
            yield from ("", f"[files.{log.log}]")
            yield from (line.toml() for line in log.lines)
        yield from (f"# {comment(remark, 400)}" for remark in self.remarks)

    def of_kind(self, kind: Kind) -> Iterator[tuple[str, Line]]:
        """Yield the lines of one kind, each with the log that it belongs to; empty for the file itself."""
        yield from (("", line) for line in self.lines if line.kind == kind)
        for log in self.logs:
            yield from ((log.log, line) for line in log.lines if line.kind == kind)


def blank(key: str, said: str) -> Line:
    """Return a line that has to be filled in before anything is loaded."""
    return Line(key, toml_text(BLANK), f"FILL IN: {said}", "blank")


def read_line(name: str, column: Column, said: str = "") -> Line:
    """Return the line that reads a column of the contract from one of the file."""
    # An id that a spreadsheet made 17850.0 of becomes 17850 again.
    if name.endswith("_id") and column.all_match(r"\d+\.0"):
        return Line(f"expressions.{name}", toml_text(f"regexp_replace({operand(column)}, '[.]0$', '')"), said)
    if column.path or column.inside:
        return Line(f"expressions.{name}", toml_text(operand(column)), said)
    return Line(f"columns.{name}", toml_text(column.name), said)


def operand(column: Column) -> str:
    """Return the column in the syntax of expressions."""
    if column.inside:
        return f"json_value(element, '$.{'.'.join(column.path)}')"
    plain = column.name.isidentifier() and column.name.lower() not in WORDS
    name = column.name if plain else '"' + column.name.replace('"', '""') + '"'
    return f"json_value({name}, '$.{'.'.join(column.path)}')" if column.path else name


def text_literal(text: str) -> str:
    """Return the text in the syntax of expressions."""
    return "'" + text.replace("'", "''") + "'"


def comment(text: str, n_characters: int = EXAMPLE_CHARACTERS) -> str:
    """Return the text cut and without what could end a comment."""
    plain = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", text)
    return plain if len(plain) <= n_characters else f"{plain[:n_characters]}…"


def toml_text(text: str) -> str:
    """Return the text as a TOML string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    escaped = re.sub(r"[\x00-\x1f\x7f]", lambda match: f"\\u{ord(match[0]):04x}", escaped)
    return f'"{escaped}"'
