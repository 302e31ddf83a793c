"""DuckDB's words about an error, without what they quote of a line."""

import re

import duckdb

# Their words name columns, functions and paths of files, and no value of a line.
_WITHOUT_VALUES = (
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.IOException,
    duckdb.NotImplementedException,
    duckdb.ParserException,
)
# From the first quote to the last, since a value may hold quotes itself; or to the end, since it may hold a
# line end.
_QUOTED = re.compile(r"""["'].*["']|["'].*$""")
_NUMBER = re.compile(r"(?<![A-Za-z\d])\d[\d.,]*")


def words_of(error: duckdb.Error) -> str:
    """Return the first line of an error, without texts and numbers that may be of a line.

    >>> words_of(duckdb.ConversionException("Conversion Error: Could not convert string 'ann@x.de' to INT32"))
    'Conversion Error: Could not convert string (not shown) to INT32'
    >>> words_of(duckdb.OutOfRangeException("Out of Range Error: Overflow in addition of INT64 (17 + 1)!"))
    'Out of Range Error: Overflow in addition of INT64 ((number) + (number))!'
    """
    first = str(error).partition("\n")[0]
    if isinstance(error, _WITHOUT_VALUES):
        return first
    return _NUMBER.sub("(number)", _QUOTED.sub("(not shown)", first))
