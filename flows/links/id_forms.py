"""The forms in which the shop's mappings store a user id: as it is, trimmed, or by an expression.

A user id is hashed as the mapping reads it: nothing is trimmed, composed or folded unless the mapping says
so, and a number is the text that the file has, or that the database makes of a number in Parquet.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import duckdb

from features.contracts.mapping import ELEMENT, ELEMENT_NUMBER, LINE, LogMapping, SourceFile
from features.contracts.sql_text import identifier, quoted
from features.warehouse.reader import mentioned_names
from flows.links.id_file import USER_ID

# Two texts that an expression for ids makes something of; one that looks for the id inside a larger text
# does not.
_PROBES = ("id-7", "7")
_GIVEN = '"id of the file"'
_NOT_OF_THE_FILE = frozenset(name.strip('"') for name in (LINE, ELEMENT, ELEMENT_NUMBER))


@dataclass(frozen=True)
class IdForm:
    """One form: SQL for the stored id over one column of a log, and the name of that column."""

    sql: str
    column: str

    def query(self, table: str) -> str:
        """Return the query for user_id and stored_id of a table with user_id."""
        return (
            f"SELECT {_GIVEN} AS {USER_ID}, CAST(({self.sql}) AS VARCHAR) AS stored_id "
            f"FROM (SELECT {USER_ID} AS {_GIVEN}, {USER_ID} AS {identifier(self.column)} FROM {table})"
        )


AS_IT_IS = IdForm(identifier(USER_ID), USER_ID)


@dataclass(frozen=True)
class IdForms:
    """All forms of a shop, the first file's first.

    is_composed: some log makes an id of several columns, or takes it out of a larger text: then the ids are
    expected as that log's expression makes them.
    """

    forms: tuple[IdForm, ...]
    is_composed: bool


def id_forms(files: Iterable[SourceFile]) -> IdForms:
    """Return the forms in which files of the shop store a user id."""
    found: dict[IdForm, None] = {}
    is_composed = False
    for file, said in _mapped(files):
        form = _form(file, said)
        is_composed |= form is None
        found[form or AS_IT_IS] = None
    return IdForms(tuple(found) or (AS_IT_IS,), is_composed)


def store_forms(connection: duckdb.DuckDBPyConnection, forms: IdForms) -> None:
    """Make `stored_ids` of `link_ids`: user_id, stored_id, and form, the number of the first form that gives
    it.

    An id that no form makes anything of, such as a null word, has no row.
    """
    every = " UNION ALL ".join(
        f"SELECT {USER_ID}, stored_id, {number} AS form FROM ({form.query('link_ids')}) WHERE stored_id <> ''"
        for number, form in enumerate(forms.forms)
    )
    once = (
        every
        if len(forms.forms) == 1
        else f"SELECT {USER_ID}, stored_id, min(form) AS form FROM ({every}) GROUP BY ALL"
    )
    connection.execute(f"CREATE TEMP TABLE stored_ids AS {once}")


def _mapped(files: Iterable[SourceFile]) -> Iterable[tuple[SourceFile, str]]:
    """Return the SQL of each user id with a file that it is read from, each once."""
    seen: dict[tuple[str, frozenset[str]], tuple[SourceFile, str]] = {}
    for file in files:
        for mapping in file.logs:
            if USER_ID in mapping.columns:
                said = mapping.columns[USER_ID]
                seen.setdefault((said, file.required | file.optional), (file, said))
    return seen.values()


def _form(file: SourceFile, said: str) -> IdForm | None:
    """Return the form of an id's SQL; None where it needs more than the text of one column."""
    names = mentioned_names(replace(file, logs=(LogMapping("events", {USER_ID: said}),)))
    own = {name.lower() for name in file.required | file.optional}
    columns = names & own
    if len(columns) != 1 or names & _NOT_OF_THE_FILE:
        return None
    [column] = columns
    plain = {column, identifier(column), f"nullif({identifier(column)}, '')"}
    if said.lower() in plain:
        return AS_IT_IS
    form = IdForm(said, column)
    return form if _reads_ids(form) else None


def _reads_ids(form: IdForm) -> bool:
    probes = ", ".join(f"({quoted(text)})" for text in _PROBES)
    with duckdb.connect() as connection:
        try:
            rows = connection.execute(form.query(f"(VALUES {probes}) AS probes({USER_ID})")).fetchall()
        except duckdb.Error:
            # it reads more than the columns of its line
            return False
    return any(stored for _, stored in rows)
