"""The lines of a file that can't be loaded, each with its number and the first rule that it broke."""

import duckdb

from features.contracts.check import column_checks, is_personal
from features.contracts.logs import LOGS
from features.contracts.mapping import LogMapping, SourceFile
from features.errors import InputDataError
from features.warehouse.reader import LINE, blame_file, identifier, quoted


def mapped_lines(mapping: LogMapping) -> str:
    """Return the query for the text of every contract column, for the lines that belong to the log."""
    columns = ", ".join(
        f"CAST(({mapping.columns.get(name, 'NULL')}) AS VARCHAR) AS {identifier(name)}"
        for name in LOGS[mapping.log].columns()
    )
    return f"SELECT {LINE}, {columns} FROM numbered_lines WHERE {mapping.where or 'true'}"


def quarantine(
    connection: duckdb.DuckDBPyConnection, file: SourceFile, load_number: int, n_lines: int
) -> int:
    """Write the lines that can't be read or break a rule of any log to rejected_lines; return how many.

    Raises InputDataError when the mapping's expressions don't work on the file.
    """
    if not n_lines:
        return 0
    broken = "".join(
        f" UNION ALL SELECT {position}, line, rule, reason, example FROM ({_broken_lines(mapping)})"
        for position, mapping in enumerate(file.logs, start=1)
    )
    with blame_file(f"{file.name} does not fit its mapping"):
        connection.execute(
            f"""
            INSERT INTO rejected_lines
            SELECT {load_number}, line, rule, reason, example
            FROM (SELECT 0 AS position, line, rule, reason, NULL AS example FROM unreadable_lines{broken})
            QUALIFY row_number() OVER (PARTITION BY line ORDER BY position) = 1
            ORDER BY line
            """
        )
    row = connection.execute(
        "SELECT count(*) FROM rejected_lines WHERE load_number = ?", [load_number]
    ).fetchone()
    assert row is not None
    return int(row[0])


def refuse_file(
    connection: duckdb.DuckDBPyConnection, file: SourceFile, load_number: int, said: str
) -> InputDataError:
    """Return the error for a file with too many bad lines, with the rule that most of them broke."""
    worst = connection.execute(
        "SELECT count(*) AS n_broken, min(line), arg_min(reason, line) FROM rejected_lines "
        "WHERE load_number = ? GROUP BY rule ORDER BY n_broken DESC, min(line) LIMIT 1",
        [load_number],
    ).fetchone()
    assert worst is not None
    n_broken, line, reason = worst
    return InputDataError(
        f"{file.name}: {said}. The most frequent reason, {n_broken} times, first on line {line}: {reason}."
    )


def _broken_lines(mapping: LogMapping) -> str:
    """Return the query for the lines that break a rule of the log: line, rule, reason, example."""
    schema = LOGS[mapping.log]
    rules = [rule for check in column_checks(schema) for rule in check.rules]
    first_broken = " ".join(f"WHEN {rule.broken} THEN {number}" for number, rule in enumerate(rules))
    sentences = " ".join(f"WHEN {number} THEN {quoted(rule.sentence)}" for number, rule in enumerate(rules))
    reasons = " ".join(f"WHEN {number} THEN {rule.reason}" for number, rule in enumerate(rules))
    shown = ", ".join(
        f"{quoted(name)}, {identifier(name)}" for name in schema.columns() if not is_personal(schema, name)
    )
    return f"""
        SELECT
            {LINE} AS line,
            CASE broken_rule {sentences} END AS rule,
            CASE broken_rule {reasons} END AS reason,
            json_object({shown})::VARCHAR AS example
        FROM (SELECT *, CASE {first_broken} END AS broken_rule FROM ({mapped_lines(mapping)}))
        WHERE broken_rule IS NOT NULL
    """
