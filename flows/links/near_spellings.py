"""Unknown ids that would be known in another spelling: counts alone, for whoever looks for the cause.

An id in another spelling is another person to the warehouse, so none of them is linked.
"""

from collections.abc import Mapping

import duckdb

from features.deidentify import PseudonymKey, pseudonym_sql

# At most this many unknown ids are tried, the first in order: the cause shows in these.
MOST_TRIED = 100_000

SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "blanks": ("trim(user_id)",),
    "case": ("lower(user_id)", "upper(user_id)"),
    "form": ("nfc_normalize(user_id)",),
    "decimals": ("user_id || '.0'", "regexp_replace(user_id, '[.]0+$', '')"),
    "zeros": ("ltrim(user_id, '0')",),
}
"""What differs → SQL for other spellings of the text user_id: 17.0 has decimals, 0017 has zeros."""


def near_spellings(connection: duckdb.DuckDBPyConnection, key: PseudonymKey) -> dict[str, int]:
    """Return what differs → number of unknown ids of `links` that would be known if it did not.

    Reads `links` (user_id, in_night, in_warehouse), `night_users` and `warehouse_users`.
    """
    connection.execute(
        f"""
        CREATE TEMP TABLE unknown_ids AS
        SELECT user_id FROM links WHERE NOT (in_night OR in_warehouse) ORDER BY user_id LIMIT {MOST_TRIED}
        """
    )
    found = {}
    for how, forms in SPELLINGS.items():
        tried = " UNION ".join(f"SELECT user_id AS id, {form} AS user_id FROM unknown_ids" for form in forms)
        [(n_ids,)] = connection.execute(
            f"""
            SELECT count(DISTINCT id)
            FROM (SELECT id, {pseudonym_sql(key)} AS user_key FROM ({tried}) WHERE user_id <> id)
            WHERE user_key IN (SELECT user_key FROM night_users UNION SELECT user_key FROM warehouse_users)
            """
        ).fetchall()
        if n_ids:
            found[how] = int(n_ids)
    connection.execute("DROP TABLE unknown_ids")
    return found
