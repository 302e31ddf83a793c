"""The first lines of a file: its format, its columns, and the forms of their values."""

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path, PurePath

import polars as pl

from features.contracts.mapping import FileFormat
from features.errors import InputDataError, UsageError, closed
from features.sources.csv_layout import CsvLayout, csv_layout
from features.sources.file_form import FORMATS
from features.sources.null_words import null_words
from features.sources.number_forms import NumberForm, forms_of
from features.sources.sample_text import SampleText, first_lines
from features.sources.time_forms import TimeForm, time_form

N_LINES = 2000
# The step to a value that means every element of a list.
LIST = "[]"


@dataclass(frozen=True)
class Column:
    """One column of the sample.

    values: its texts, in the order of the lines, without the missing ones.
    n_missing: lines where it is empty, or a null word.
    path: steps from the column of the file to a value inside its JSON; empty for the column itself.
    is_typed: its numbers are numbers of the file's format, and not texts that look like some.
    inside: steps to the JSON list whose elements contain it; empty for none.
    written_at: when its file was written, in UTC; no time in it is later.
    """

    name: str
    values: tuple[str, ...]
    n_missing: int = 0
    path: tuple[str, ...] = ()
    is_typed: bool = False
    inside: tuple[str, ...] = ()
    written_at: datetime | None = None

    def all_match(self, pattern: str) -> bool:
        """Return whether there are values, and each of them matches the whole pattern."""
        return bool(self.values) and all(re.fullmatch(pattern, value) for value in self.values)

    @property
    def label(self) -> str:
        """Its name for readers: `product.sku`."""
        return ".".join((*(self.inside or (self.name,)), *self.path))

    @property
    def example(self) -> str:
        """The most frequent value, the smallest of equals: not the first one, which would reveal a line."""
        counts = Counter(self.values)
        return min(counts, key=lambda value: (-counts[value], value))

    @cached_property
    def number_forms(self) -> tuple[NumberForm, ...]:
        """The number formats that fit all values; two where the meaning is ambiguous."""
        if self.is_typed or self.all_match(r"-?\d+(\.\d+)?[eE][-+]?\d+|-?\d+(\.\d+)?"):
            forms = forms_of(self.values) if not self.is_typed else (NumberForm(),)
            return forms or (NumberForm(),)
        return forms_of(self.values)

    @property
    def is_number(self) -> bool:
        """Whether all values are numbers, in any format."""
        return bool(self.number_forms) and bool(self.values)

    @property
    def is_whole(self) -> bool:
        """Whether all values may be whole numbers, such as `1.234` and `17.0`."""
        return self.all_match(r"-?\d+([.,]0+)?|-?\d{1,3}([.,' \u00a0\u202f]\d{3})+")

    @property
    def is_flag(self) -> bool:
        """Whether all values mean yes or no."""
        return bool(self.words) and self.words <= YES | NO

    @property
    def is_unique(self) -> bool:
        """Whether each line has a value, and all values differ."""
        return not self.n_missing and bool(self.values) and len(set(self.values)) == len(self.values)

    @cached_property
    def words(self) -> frozenset[str]:
        """The distinct values in lower case, where they are few."""
        distinct = frozenset(value.lower() for value in self.values)
        return distinct if len(distinct) <= 20 else frozenset()

    @cached_property
    def times(self) -> TimeForm | None:
        """The time format of the column, with the decision where two formats fit; None for no times."""
        return time_form(self.values, self.written_at)

    @property
    def time_form(self) -> str | None:
        """The time format of the column: `zoned`, `naive`, `day`, or a value of `time_format`; or None.

        >>> Column("at", ("1569888000025", "1569888000100")).time_form
        'epoch_ms'
        """
        return (self.times.pattern or self.times.kind) if self.times else None


YES = frozenset({"1", "true", "yes", "y", "ja", "oui", "si", "sí", "是", "1.0", "t"})
NO = frozenset({"0", "false", "no", "n", "nein", "non", "否", "0.0", "f"})


@dataclass(frozen=True)
class Sample:
    """The first lines of a file, column by column.

    text: the form of its text; layout: of its CSV; each None where there is none.
    null_values: null words that were found, with the columns that have them.
    is_padded: values or headings have spaces around them.
    n_lines: number of lines read. n_repeated: number of lines that exactly repeat an earlier one.
    fields: the values of each column line by line, empty where it has none; by its label.
    """

    file_format: FileFormat
    columns: tuple[Column, ...]
    n_lines: int
    text: SampleText | None = None
    layout: CsvLayout | None = None
    null_values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_padded: bool = False
    n_repeated: int = 0
    fields: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False)

    def stands_on_first_line_only(self, column: Column, order: Column) -> bool:
        """Return whether a column filled on an order's first line is empty on another line of that order."""
        orders, values = self.fields.get(order.label, ()), self.fields.get(column.label, ())
        first: dict[str, str] = {}
        return any(
            bool(first.setdefault(key, value)) and not value
            for key, value in zip(orders, values, strict=False)
        )


def take_sample(path: Path) -> Sample:
    """Read the first N_LINES lines of a file.

    Raises UsageError when the ending of the name is not a known format, InputDataError when the file can't be
    read or holds no line.
    """
    suffix = PurePath(path.name.removesuffix(".gz")).suffix.lower()
    if suffix not in FORMATS:
        raise UsageError(
            f"The ending of {path} is not a known format; known are {', '.join(FORMATS)}, and .gz of them. "
            "Export a workbook (.xlsx) as CSV first."
        )
    readers: Mapping[FileFormat, Callable[[Path], Sample]] = {
        "csv": _csv,
        "jsonl": _jsonl,
        "parquet": _parquet,
    }
    try:
        sample = readers[FORMATS[suffix]](path)
    except (OSError, EOFError, UnicodeDecodeError, pl.exceptions.PolarsError) as error:
        raise InputDataError(f"{path} can't be read: {closed(str(error))}") from error
    if not any(column.values for column in sample.columns):
        raise InputDataError(
            f"{path} holds no lines to read: it is empty, has only a header, or every "
            "value is a null word, such as NULL."
        )
    written_at = datetime.fromtimestamp(path.stat().st_mtime, UTC).replace(tzinfo=None)
    return replace(sample, columns=tuple(replace(column, written_at=written_at) for column in sample.columns))


def _csv(path: Path) -> Sample:
    text = first_lines(path, N_LINES + 20)
    layout = csv_layout(text.lines, path)
    rows = [row for row in layout.rows[:N_LINES] if len(row) == len(layout.names)]
    fields = [list(field) for field in zip(*rows, strict=True)] or [[] for _ in layout.names]
    n_repeated = len(rows) - len(set(map(tuple, rows)))
    named: dict[tuple[str, ...], list[str]] = {
        (name,): values for name, values in zip(layout.names, fields, strict=True)
    }
    return _judged(Sample("csv", (), len(rows), text, layout, n_repeated=n_repeated), named)


def _jsonl(path: Path) -> Sample:
    text = first_lines(path, N_LINES)
    fields: dict[tuple[str, ...], list[str]] = {}
    parts: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    typed: set[tuple[str, ...]] = set()
    n_lines = n_whole = 0
    for line in filter(str.strip, text.lines):
        n_lines += 1
        try:
            found = json.loads(line)
        except json.JSONDecodeError:
            continue
        n_whole += isinstance(found, dict)
        for steps, value in _leaves(found) if isinstance(found, dict) else ():
            fields.setdefault(steps, []).extend([""] * (n_whole - 1 - len(fields.get(steps, []))))
            fields[steps].append(value if isinstance(value, str) else json.dumps(value))
            if isinstance(value, int | float):
                typed.add(steps)
            for inner, part in _parts(value):
                parts.setdefault((steps, inner), []).append(
                    part if isinstance(part, str) else json.dumps(part)
                )
                if isinstance(part, int | float):
                    typed.add((*steps, LIST, *inner))
    if n_lines and not n_whole:
        raise InputDataError(
            f"{path} holds no line that is a JSON object by itself: it may be one object over many lines. "
            "Export one object on each line (JSON Lines), or one array of objects."
        )
    for values in fields.values():
        values.extend([""] * (n_whole - len(values)))
    n_repeated = n_lines - len({line for line in text.lines if line.strip()})
    fields |= {(*steps, LIST, *inner): values for (steps, inner), values in parts.items()}
    return _judged(Sample("jsonl", (), n_whole, text, n_repeated=n_repeated), fields, typed)


def _parts(value: object) -> Iterator[tuple[tuple[str, ...], object]]:
    """Yield the values inside the objects of a list."""
    for element in value if isinstance(value, list) else ():
        if isinstance(element, dict):
            yield from _leaves(element)


def _leaves(
    found: Mapping[str, object], before: tuple[str, ...] = ()
) -> Iterable[tuple[tuple[str, ...], object]]:
    """Yield each value inside an object with the keys that lead to it; a list is one value.

    A key that an expression can't name keeps its object whole.
    """
    for name, value in found.items():
        steps = (*before, name)
        inner = isinstance(value, dict) and all(re.fullmatch(r"[^\W\d]\w*", key) for key in value)
        if isinstance(value, dict) and value and inner and len(steps) < 4:
            yield from _leaves(value, steps)
        elif value is not None:
            yield steps, value


def _parquet(path: Path) -> Sample:
    frame = pl.scan_parquet(path).head(N_LINES).collect()
    fields: dict[tuple[str, ...], list[str]] = {
        (name,): ["" if value is None else str(value) for value in frame[name].to_list()]
        for name in frame.columns
    }
    typed = {(name,) for name, kind in frame.schema.items() if kind.is_numeric()}
    n_repeated = frame.height - frame.select(pl.struct(pl.all())).n_unique() if frame.width else 0
    return _judged(Sample("parquet", (), frame.height, n_repeated=n_repeated), fields, typed)


def _judged(
    sample: Sample, fields: Mapping[tuple[str, ...], list[str]], typed: Collection[tuple[str, ...]] = ()
) -> Sample:
    """Return the sample with its columns, without spaces around values and without null words."""
    is_padded = sample.file_format == "csv" and _is_padded(fields)
    if is_padded:
        fields = {steps: [value.strip() for value in values] for steps, values in fields.items()}
    words = null_words({".".join(steps): values for steps, values in fields.items()})
    columns = []
    for (name, *path), values in fields.items():
        kept = tuple(value for value in values if value and value not in words)
        steps, n_missing = (name, *path), len(values) - len(kept)
        if LIST in steps:
            inside, inner = steps[: steps.index(LIST)], steps[steps.index(LIST) + 1 :]
            columns.append(Column(name, kept, n_missing, inner, steps in typed, inside))
        else:
            columns.append(Column(name, kept, n_missing, tuple(path), steps in typed))
    by_label = {".".join(steps): values for steps, values in fields.items()}
    return replace(sample, columns=tuple(columns), null_values=words, is_padded=is_padded, fields=by_label)


def _is_padded(fields: Mapping[tuple[str, ...], Sequence[str]]) -> bool:
    """Return whether most values of a column, or a heading, have spaces around them."""
    if any(name != name.strip() for name, *_ in fields):
        return True
    return any(
        filled and sum(value != value.strip() for value in filled) * 2 > len(filled)
        for filled in ([value for value in values if value] for values in fields.values())
    )
