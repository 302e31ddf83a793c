"""The ids of a file, hashed as ingest would, beside what is known of each; and their counts."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from features.deidentify import PseudonymKey, pseudonym_sql
from features.errors import MetacartError
from features.machine_faults import machine_fault
from features.warehouse.database_words import words_of
from flows.links.id_file import USER_ID, ReadLines
from flows.links.id_forms import AS_IT_IS, IdForms, store_forms


@dataclass(frozen=True)
class IdCounts:
    """How many lines and ids of a file became what.

    n_lines = n_unreadable + n_empty + n_repeated + n_ids. n_nobody: ids of which the mapping makes nothing,
    such as null words. n_erased: ids of erased people, left out. n_linked = n_ids - n_nobody - n_erased.
    n_rows: rows of the link; more than n_linked where an id is known in several forms.
    n_in_night, n_in_warehouse, n_known: linked ids that are there, or in one of the two.
    n_sharing: rows fewer there would be with each user_key once: of ids that the mapping makes one of.
    """

    n_lines: int
    n_unreadable: int
    n_empty: int
    n_repeated: int
    n_ids: int
    n_nobody: int
    n_erased: int
    n_linked: int
    n_rows: int
    n_in_night: int
    n_in_warehouse: int
    n_known: int
    n_sharing: int

    @property
    def n_unknown(self) -> int:
        """Linked ids that are neither in the night's tables nor in the warehouse."""
        return self.n_linked - self.n_known


def match_ids(
    connection: duckdb.DuckDBPyConnection, read: ReadLines, forms: IdForms, key: PseudonymKey
) -> IdCounts:
    """Make the table `links`: user_id, user_key, in_night, in_warehouse.

    Grain: user_id and user_key; of an id that is not known there is one row. Reads `id_lines`, `night_users`,
    `warehouse_users` and `erased_users`; the tables of ids are dropped as soon as they are read.
    Raises MetacartError where the ids can't be hashed, without a word of the key.
    """
    filled = f"FROM id_lines WHERE is_data AND is_readable AND {USER_ID} <> ''"
    [n_filled] = _counted(connection, f"SELECT count(*) {filled}")
    connection.execute(f"CREATE TEMP TABLE link_ids AS SELECT DISTINCT {USER_ID} {filled}")
    connection.execute("DROP TABLE id_lines")
    [n_ids] = _counted(connection, "SELECT count(*) FROM link_ids")
    store_forms(connection, forms)
    with without_the_key("The ids could not be hashed"):
        connection.execute(
            f"CREATE TEMP TABLE hashed_ids AS SELECT {USER_ID}, form, {pseudonym_sql(key, 'stored_id')} AS "
            "user_key FROM stored_ids"
        )
        connection.execute("DROP TABLE stored_ids")
        connection.execute(_ERASED_IDS.format(own_key=pseudonym_sql(key)))
    connection.execute("DROP TABLE link_ids")
    has_several = len(forms.forms) > 1
    # Millions of ids are counted without comparing them where each has one row already.
    ids = f"DISTINCT {USER_ID}" if has_several else USER_ID
    keys = "user_key" if forms.forms == (AS_IT_IS,) else "DISTINCT user_key"
    [n_people] = _counted(connection, f"SELECT count({ids}) FROM hashed_ids")
    connection.execute(_LINKS + (_ONE_UNLESS_KNOWN if has_several else ""))
    connection.execute("DROP TABLE hashed_ids")
    n_rows, n_linked, n_keys, n_in_night, n_in_warehouse, n_known = _counted(
        connection,
        f"""
        SELECT
            count(*),
            count({ids}),
            count({keys}),
            count({ids}) FILTER (in_night),
            count({ids}) FILTER (in_warehouse),
            count({ids}) FILTER (in_night OR in_warehouse)
        FROM links
        """,
    )
    return IdCounts(
        n_lines=read.n_lines,
        n_unreadable=read.n_unreadable,
        n_empty=read.n_lines - read.n_unreadable - n_filled,
        n_repeated=n_filled - n_ids,
        n_ids=n_ids,
        n_nobody=n_ids - n_people,
        n_erased=n_people - n_linked,
        n_linked=n_linked,
        n_rows=n_rows,
        n_in_night=n_in_night,
        n_in_warehouse=n_in_warehouse,
        n_known=n_known,
        n_sharing=n_rows - n_keys,
    )


@contextmanager
def without_the_key(said: str) -> Iterator[None]:
    """Raise DuckDB's errors without their cause: it quotes the query, which has the key."""
    try:
        yield
    except duckdb.Error as error:
        raise (machine_fault(error) or MetacartError(f"{said}: {words_of(error)}")) from None


def _counted(connection: duckdb.DuckDBPyConnection, query: str) -> list[int]:
    [row] = connection.execute(query).fetchall()
    return [int(number) for number in row]


# An id is left out when any of its forms is of an erased person, or the id as it is: `metacart erase` takes
# both. Without erasures nothing is hashed for that.
_ERASED_IDS = """
CREATE TEMP TABLE erased_ids AS
SELECT user_id FROM hashed_ids SEMI JOIN erased_users USING (user_key)
UNION
SELECT user_id FROM (
    SELECT user_id, {own_key} AS user_key FROM link_ids WHERE EXISTS (FROM erased_users)
) SEMI JOIN erased_users USING (user_key)
"""
_LINKS = """
CREATE TEMP TABLE links AS
SELECT
    hashed_ids.user_id,
    hashed_ids.user_key,
    night_users.user_key IS NOT NULL AS in_night,
    warehouse_users.user_key IS NOT NULL AS in_warehouse
FROM hashed_ids
LEFT JOIN night_users ON hashed_ids.user_key = night_users.user_key
LEFT JOIN warehouse_users ON hashed_ids.user_key = warehouse_users.user_key
WHERE hashed_ids.user_id NOT IN (SELECT user_id FROM erased_ids)
"""
# Of several forms those that are known count; of an id that is not known, the first file's.
_ONE_UNLESS_KNOWN = """
QUALIFY (in_night OR in_warehouse) OR (
    NOT bool_or(in_night OR in_warehouse) OVER (PARTITION BY hashed_ids.user_id)
    AND row_number() OVER (PARTITION BY hashed_ids.user_id ORDER BY hashed_ids.form) = 1
)
"""
