"""One column of one batch → numpy: numbers [b], whole numbers [b], or lists [b, A], checked row by row.

Every error names the column and the row, counted from 0 over the whole file.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.errors import InputDataError
from flows.commands.ope.plain_columns import is_list, numbers_of_text, plain
from offline_rl.ope.records import FLOAT32_SLACK, Floats, Ints

BRACKETS = "[]() \t\r\n"

SEPARATORS = ",;"
"""Separators, besides white space, of the numbers of a list that is written as text."""


@dataclass(frozen=True)
class BatchColumn:
    """A column's rows of one batch, with the file and the number of the first row."""

    file: str
    name: str
    first_row: int
    rows: Any

    def numbers(self) -> Floats:
        """Return the rows as float64, NaN for empty values; True is 1 and False is 0.

        Raises InputDataError for text that is not a number.
        """
        numbers: Floats = _numpy(self._cast(self._trimmed(), pa.float64(), "no number"))
        return numbers

    def whole_numbers(self) -> Ints:
        """Return the rows as int64; 3.0 counts as 3, since columns with gaps are often stored as floats.

        Raises InputDataError for a gap or anything else that is not a whole number.
        """
        rows = self._trimmed()
        if rows.null_count:
            raise self.fault(_first(pc.is_null(rows)), "is missing. Repair or drop the row.")
        if pa.types.is_string(rows.type):
            rows = self._cast(rows, pa.float64(), "not a whole number")
        whole: Ints = _numpy(self._cast(rows, pa.int64(), "not a whole number"))
        return whole

    def lists(self, length: int | None, *, per: str = "action", as_in: str = "evaluation_probs") -> Floats:
        """Return the rows as float64 [b, A], one number per action, all finite.

        length: length of each list, which is that of the lists of column `as_in`; None for that of the first
        list.
        per: the thing that each number of a list is about, such as action.

        Raises InputDataError for a missing list, another length, and a number that is not finite.
        """
        if self.rows.null_count:
            raise self.fault(_first(pc.is_null(self.rows)), "is missing. Repair or drop the row.")
        flat, lengths = self._flat()
        length = int(lengths[0]) if length is None else length
        if (lengths != length).any():
            row = int(np.argmax(lengths != length))
            raise self.fault(
                row,
                f"has {lengths[row]} numbers where {as_in} of row 0 has {length}. "
                f"Every list holds one number per {per}, in the same order.",
            )
        values = flat.reshape(len(lengths), length)
        # A sum is not finite if one of its numbers is not, and is quicker to check than all of them.
        with np.errstate(over="ignore", invalid="ignore"):
            is_suspect = not np.isfinite(values.sum())
        if is_suspect:
            self._refuse(
                values, ~np.isfinite(values), "It must be a finite number; repair or drop the row.", per
            )
        return values

    def probabilities(self, n_actions: int | None) -> Floats:
        """Return the rows as probabilities [b, A] of one policy: none negative, each row summing to 1.

        Sums may be off by 1e-6 per action: the rounding of float32, or of six decimals in a text file.

        Raises InputDataError as `lists` does, and where they are not probabilities.
        """
        values = self.lists(n_actions)
        if values.min(initial=0.0) < -FLOAT32_SLACK:
            self._refuse(values, values < -FLOAT32_SLACK, "A probability is never negative.")
        totals = values.sum(axis=1)
        off = np.abs(totals - 1) > FLOAT32_SLACK * values.shape[1]
        if off.any():
            row = int(np.argmax(off))
            raise self.fault(row, f"sums to {totals[row]:.7g}. Probabilities of all actions sum to 1.")
        return values

    def fault(self, row: int, what: str) -> InputDataError:
        """Return an error about one row of the batch."""
        return InputDataError(f"{self.file}, row {self.first_row + row}: {self.name} {what}")

    def _flat(self) -> tuple[Floats, Ints]:
        """Return all numbers of all lists, one after the other, and the length of each list."""
        lists = plain(self.rows)
        if pa.types.is_string(lists.type):
            texts = _split(lists)
            values = self._cast(texts.flatten(), pa.float64(), "no number", lists=texts)
            return _numpy(values), _numpy(pc.list_value_length(texts))
        if not is_list(lists.type) or not _is_numeric(lists.type.value_type):
            raise InputDataError(
                f"{self.file}: column {self.name} holds {self.rows.type}, not lists of numbers."
            )
        return _numpy(lists.flatten().cast(pa.float64())), _numpy(pc.list_value_length(lists))

    def _trimmed(self) -> Any:
        rows = plain(self.rows)
        return pc.utf8_trim_whitespace(rows) if pa.types.is_string(rows.type) else rows

    def _cast(self, values: Any, to: pa.DataType, what: str, lists: Any = None) -> Any:
        """Return the values as another type; an error names the row of the first that can't be converted."""
        try:
            return _as(values, to)
        except pa.ArrowNotImplementedError as error:
            raise InputDataError(f"{self.file}: column {self.name} holds {self.rows.type} values.") from error
        except pa.ArrowInvalid as error:
            place = next(i for i, value in enumerate(values) if not _casts(value, to))
            row = place if lists is None else int(pc.list_parent_indices(lists)[place].as_py())
            raise self.fault(row, f"holds {values[place].as_py()!r}, {what}.") from error

    def _refuse(self, values: Floats, bad: NDArray[np.bool_], what_next: str, per: str = "action") -> None:
        if bad.any():
            row, place = np.unravel_index(int(np.argmax(bad)), bad.shape)
            raise self.fault(int(row), f"is {values[row, place]:g} for {per} {place}. {what_next}")


def _split(texts: Any) -> Any:
    """Return lists of the words between brackets, twice as fast as by a regular expression."""
    for separator in SEPARATORS:
        texts = pc.replace_substring(texts, separator, " ")
    return pc.ascii_split_whitespace(pc.ascii_trim(texts, BRACKETS))


def _is_numeric(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))


def _as(values: Any, to: pa.DataType) -> Any:
    is_number = pa.types.is_string(values.type) and pa.types.is_floating(to)
    return numbers_of_text(values) if is_number else values.cast(to)


def _casts(value: Any, to: pa.DataType) -> bool:
    try:
        _as(pa.array([value.as_py()], value.type), to)
    except pa.ArrowInvalid:
        return False
    return True


def _first(flags: Any) -> int:
    return int(np.argmax(flags.to_numpy(zero_copy_only=False)))


def _numpy(array: Any) -> Any:
    return array.to_numpy(zero_copy_only=False)
