"""Columns as different writers store them → the few plain types that the other modules know.

polars writes large_string, large_list and fixed-size lists, DuckDB decimals, pandas dictionaries: other types
for the same numbers. The result must not depend on the writer, to the last bit.
"""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def plain(rows: Any) -> Any:
    """Return the rows as bool, int, float, string, or a list of one of these; any other type unchanged.

    >>> plain(pa.array([["1.50"]], pa.large_list(pa.string_view()))).type
    ListType(list<item: string>)
    """
    kind = rows.type
    if isinstance(kind, pa.BaseExtensionType):
        return plain(rows.storage)
    if pa.types.is_dictionary(kind):
        return plain(rows.cast(kind.value_type))
    if is_text(kind):
        return rows if pa.types.is_string(kind) else rows.cast(pa.string())
    if pa.types.is_decimal(kind):
        # Arrow's own cast multiplies by 1/10^scale: one decimal in four is off in the last bit.
        return rows.cast(pa.string()).cast(pa.float64())
    if is_list(kind):
        return _plain_list(rows)
    return rows


def numbers_of_text(texts: Any) -> Any:
    """Return texts as float64, where True and False in any case are 1 and 0.

    Raises ArrowInvalid for any other text that is not a number.

    >>> numbers_of_text(pa.array(["True", "0.5", "FALSE"])).to_pylist()
    [1.0, 0.5, 0.0]
    """
    try:
        return texts.cast(pa.float64())
    except pa.ArrowInvalid:
        lower = pc.utf8_lower(texts)
        spelled = pc.if_else(pc.equal(lower, "true"), "1", pc.if_else(pc.equal(lower, "false"), "0", texts))
        return spelled.cast(pa.float64())


def is_text(kind: pa.DataType) -> bool:
    """Return whether a type is text, in any storage."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def is_list(kind: pa.DataType) -> bool:
    """Return whether a type is a list, in any storage."""
    of_kind = (
        pa.types.is_list,
        pa.types.is_large_list,
        pa.types.is_fixed_size_list,
        pa.types.is_list_view,
        pa.types.is_large_list_view,
    )
    return any(is_one(kind) for is_one in of_kind)


def _plain_list(rows: Any) -> Any:
    kind = rows.type
    if pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind):
        # Views may overlap or leave gaps; casting a slice of them goes wrong in pyarrow 26.
        rows = pa.array(rows.to_pylist(), pa.list_(kind.value_type))
    elif not pa.types.is_list(kind):
        rows = rows.cast(pa.list_(kind.value_type))
    value_type = rows.type.value_type
    if is_text(value_type) or pa.types.is_decimal(value_type) or pa.types.is_dictionary(value_type):
        lengths = pc.fill_null(pc.list_value_length(rows), 0)
        offsets = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(lengths)])
        mask = rows.is_null() if rows.null_count else None
        return pa.ListArray.from_arrays(offsets, plain(rows.flatten()), mask=mask)
    return rows
