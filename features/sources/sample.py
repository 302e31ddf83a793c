"""A look at the first lines of a file: which columns it has and what their values look like."""

import csv
import gzip
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path, PurePath

import polars as pl

from features.contracts.check import PLAIN_DAY, ZONED_TIME
from features.contracts.mapping import FileFormat
from features.errors import InputDataError, UsageError
from features.sources.file_tables import FORMATS
from features.sources.local_time import NAIVE_TIME

N_LINES = 2000
DELIMITERS = (",", ";", "\t", "|")
# The American order comes last: a column that both fit is read as the rest of the world would.
PATTERNS = (
    *("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y%m%d"),
    *("%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S"),
    *("%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%Y/%m/%d %H:%M:%S"),
)
# 2001 to 2286, in seconds and in milliseconds; shorter numbers are more likely ids.
EPOCH_DIGITS = {10: "epoch_s", 13: "epoch_ms", 16: "epoch_us"}


@dataclass(frozen=True)
class Column:
    """One column of the sample.

    values: its texts, in the order of the lines, without the missing ones.
    """

    name: str
    values: tuple[str, ...]

    def all_match(self, pattern: str) -> bool:
        """Say whether there are values, and each looks like the pattern as a whole."""
        return bool(self.values) and all(re.fullmatch(pattern, value) for value in self.values)

    @property
    def example(self) -> str:
        """The most frequent value, the least of equals: not the first, which would give away a line."""
        counts = Counter(self.values)
        return min(counts, key=lambda value: (-counts[value], value))

    @property
    def is_whole(self) -> bool:
        """All values are whole numbers."""
        return self.all_match(r"-?\d+")

    @property
    def is_number(self) -> bool:
        """All values are numbers."""
        return self.all_match(r"-?\d+(\.\d+)?([eE][-+]?\d+)?")

    @property
    def words(self) -> frozenset[str]:
        """The distinct values in lower case, where they are few."""
        distinct = frozenset(value.lower() for value in self.values)
        return distinct if len(distinct) <= 20 else frozenset()

    @property
    def time_form(self) -> str | None:
        """How the column writes times: `zoned`, `naive`, `day`, a pattern or an epoch; None for no times.

        >>> Column("at", ("1569888000025", "1569888000100")).time_form
        'epoch_ms'
        >>> Column("at", ("12/24/2010 8:26",)).time_form
        '%m/%d/%Y %H:%M'
        """
        for form, pattern in (("zoned", ZONED_TIME), ("naive", NAIVE_TIME), ("day", PLAIN_DAY)):
            if self.all_match(pattern):
                return form
        lengths = {len(value) for value in self.values}
        if self.all_match(r"\d+") and len(lengths) == 1 and (length := lengths.pop()) in EPOCH_DIGITS:
            return EPOCH_DIGITS[length]
        return next((pattern for pattern in PATTERNS if self._all_parse(pattern)), None)

    def _all_parse(self, pattern: str) -> bool:
        return bool(self.values) and all(_parses(value, pattern) for value in self.values)


@dataclass(frozen=True)
class Sample:
    """The first lines of a file, column by column."""

    file_format: FileFormat
    delimiter: str
    columns: tuple[Column, ...]


def take_sample(path: Path) -> Sample:
    """Read the first N_LINES lines of a file.

    Raises UsageError when the ending of the name tells no format, InputDataError when the file can't be read
    or holds no line.
    """
    suffix = PurePath(path.name.removesuffix(".gz")).suffix
    if suffix not in FORMATS:
        raise UsageError(
            f"The ending of {path} tells no format; there are {', '.join(FORMATS)}, and .gz of them."
        )
    readers: Mapping[FileFormat, Callable[[Path], Sample]] = {
        "csv": _csv,
        "jsonl": _jsonl,
        "parquet": _parquet,
    }
    try:
        sample = readers[FORMATS[suffix]](path)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, pl.exceptions.PolarsError) as error:
        raise InputDataError(f"{path} can't be looked at: {error}.") from error
    if not any(column.values for column in sample.columns):
        raise InputDataError(f"{path} holds no lines to look at.")
    return sample


def _first_lines(path: Path) -> list[str]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
        return list(islice(file, N_LINES + 1))


def _csv(path: Path) -> Sample:
    lines = _first_lines(path) or [""]
    delimiter = max(DELIMITERS, key=lines[0].count)
    header, *rows = list(csv.reader(io.StringIO("".join(lines), newline=""), delimiter=delimiter)) or [[]]
    # A line of another length is for the loader to refuse; here it is no example of anything.
    whole = [row for row in rows if len(row) == len(header)]
    values = zip(*whole, strict=True) if whole else ([] for _ in header)
    names = (name or f"column{position}" for position, name in enumerate(header))
    return Sample("csv", delimiter, _columns(zip(names, values, strict=True)))


def _jsonl(path: Path) -> Sample:
    values: dict[str, list[str]] = {}
    for line in _first_lines(path):
        try:
            found = json.loads(line)
        except json.JSONDecodeError:
            continue
        for name, value in found.items() if isinstance(found, dict) else ():
            if value is not None:
                values.setdefault(name, []).append(value if isinstance(value, str) else json.dumps(value))
    return Sample("jsonl", ",", _columns(values.items()))


def _parquet(path: Path) -> Sample:
    frame = pl.scan_parquet(path).head(N_LINES).collect()
    texts = {
        name: [str(value) for value in frame[name].to_list() if value is not None] for name in frame.columns
    }
    return Sample("parquet", ",", _columns(texts.items()))


def _columns(named: Iterable[tuple[str, Sequence[str]]]) -> tuple[Column, ...]:
    return tuple(Column(name, tuple(value for value in values if value)) for name, values in named)


def _parses(value: str, pattern: str) -> bool:
    try:
        datetime.strptime(value, pattern)  # noqa: DTZ007, only the form is asked for
    except ValueError:
        return False
    return True
