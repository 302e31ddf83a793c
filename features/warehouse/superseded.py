"""Lines that a key makes go missing: a file whose lines share keys that were not meant as such is refused.

A row that is corrected by a later file is an update, and a row that comes twice is a repeated delivery: both
are printed and no more. But lines of one file that share a key and differ are a sign that the key is not one.
"""

import duckdb

from features.contracts.logs import KEYS
from features.errors import InputDataError


def refuse_vanishing_lines(connection: duckdb.DuckDBPyConnection, max_share: float) -> None:
    """Refuse files of which more than a share of the lines counts for nothing, by no intention.

    Asked when stg_superseded_lines is built. They are those that differ from the line of the same key in the
    same file that counts, unless the mapping says one_row_per_key.
    Raises InputDataError with the file, the share, and what to write in its [[files]] table.
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
            f"{name}: {n_vanished} of {n_lines} lines would go missing, because another line of the file has "
            f"the same {' and '.join(KEYS[log])} and says something else; the first is line {line}. Name the "
            f"columns that tell the rows of {log} apart (ids.{KEYS[log][-1]} = [...]), or write "
            "one_row_per_key = true where the last line of each key is the one that counts."
        )
