"""Large tables in parts."""

from collections.abc import Iterator

_CELLS = 2**22  # 32 MB of doubles


def parts(rows: int, columns: int) -> Iterator[slice]:
    """Yield slices that together are all rows, small enough that a table of one slice by all columns fits.

    >>> list(parts(5, 2**21))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 6, None)]
    """
    at_once = max(1, _CELLS // max(columns, 1))
    return (slice(start, start + at_once) for start in range(0, rows, at_once))
