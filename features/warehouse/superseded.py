"""Lines that don't count because of their key: a file is refused if many of its lines share a wrong key.

A row that a later file corrects is an update, and a row that comes twice is a repeated delivery: both are
only printed. But lines of one file that share a key and differ are a sign that the key does not identify a
row.
"""

import duckdb

from features.contracts.logs import KEYS
from features.errors import InputDataError


def refuse_vanishing_lines(connection: duckdb.DuckDBPyConnection, max_share: float) -> None:
    """Refuse files in which more than a share of the lines does not count, without intention.

    Called when stg_superseded_lines is built. These lines differ from the line of the same key in the same
    file that counts, and the mapping does not have one_row_per_key. Raises InputDataError with the file, the
    share, and what to write in its [[files]] table.
    """
    found = connection.execute(
        """
        SELECT source_name, log, count(*) AS n_vanished, any_value(n_lines), min(file_line)
        FROM stg_superseded_lines JOIN load_manifest USING (load_number)
        WHERE kind = 'later_line' AND by_load_number = load_number
            AND NOT list_contains(coalesce(one_row_per_key, []), log)
        GROUP BY source_name, log
        HAVING n_vanished > ? * any_value(n_lines)
        ORDER BY n_vanished DESC, source_name, log
        LIMIT 1
        """,
        [max_share],
    ).fetchone()
    if found:
        name, log, n_vanished, n_lines, line = found
        raise InputDataError(
            f"{name}: {n_vanished} of {n_lines} lines would not count, because another line of the file has "
            f"the same {' and '.join(KEYS[log])} and other values; the first is line {line}. Name the "
            f"columns that distinguish the rows of {log} (ids.{KEYS[log][-1]} = [...]), or write "
            "one_row_per_key = true where the last line of each key is the one that counts."
        )
