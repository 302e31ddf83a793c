"""The lines of a file that can't be loaded, each with its number and the first rule that it breaks."""

from collections.abc import Iterable

import duckdb

from features.contracts.check import ColumnCheck, is_personal
from features.contracts.finding_sql import array_sql, finding_sql
from features.contracts.findings import Finding, Say, as_json, from_json, to_json
from features.contracts.logs import LOGS
from features.contracts.mapping import LINE, JoinedFile, SourceFile
from features.contracts.refusal_marks import unmarked
from features.contracts.sql_text import identifier, quoted
from features.contracts.value_shape import shape_sql
from features.errors import InputDataError, MetacartError, closed
from features.warehouse.checked_lines import BROKEN_TEXT, CheckedFile
from features.warehouse.joined_lines import NO_PARTNER
from features.warehouse.log_columns import LogColumns
from features.warehouse.reader import blame_file

_NO_OBJECT = Finding("not_an_object", "line")


def quarantine(
    connection: duckdb.DuckDBPyConnection,
    file: SourceFile,
    checked: CheckedFile,
    load_number: int,
    *,
    n_implausible: int,
) -> int:
    """Write the lines that can't be read or break a rule of a log to rejected_lines; return their number.

    n_implausible: lines in the temporary table implausible_lines, which break no rule by themselves.
    Of the rules that a line breaks the first counts: of the first log, in the order of its columns.
    """
    found = list(_found(file, checked, n_implausible))
    if not found:
        return 0
    union = " UNION ALL ".join(
        f"SELECT {place} AS place, * FROM ({query})" for place, query in enumerate(found)
    )
    with blame_file(f"{file.name} does not fit its mapping"):
        connection.execute(
            f"""
            INSERT INTO rejected_lines
            SELECT {load_number}, line, rule, findings, example
            FROM ({union}) AS found(place, line, rule, findings, example)
            QUALIFY row_number() OVER (PARTITION BY line ORDER BY place, rule) = 1
            ORDER BY line
            """
        )
    marked = " UNION ALL ".join(
        f"SELECT {LINE} AS line FROM ({lines.query}) WHERE {BROKEN_TEXT} IS NOT NULL"
        for lines in checked.tables
    )
    [(n_rejected, n_marked)] = connection.execute(
        f"""
        SELECT
            (SELECT count(*) FROM rejected_lines WHERE load_number = {load_number}),
            (SELECT count(DISTINCT line) FROM ({marked} UNION ALL SELECT line FROM implausible_lines))
        """
    ).fetchall()
    if n_rejected != n_marked + checked.n_unreadable:
        raise MetacartError(
            f"{file.name}: {n_marked + checked.n_unreadable} lines are marked as bad, "
            f"but {n_rejected} have a reason."
        )
    return int(n_rejected)


def refuse_file(
    connection: duckdb.DuckDBPyConnection, file: SourceFile, load_number: int, too_many: str, say: Say
) -> InputDataError:
    """Return the error for a file with too many bad lines, with the rule that most of them break.

    too_many: how many lines are bad, as a sentence. say: makes the sentence of the rule.
    """
    worst = connection.execute(
        "SELECT count(*) AS n_broken, min(line), arg_min(findings, line) FROM rejected_lines "
        "WHERE load_number = ? GROUP BY rule ORDER BY n_broken DESC, min(line) LIMIT 1",
        [load_number],
    ).fetchone()
    assert worst is not None
    n_broken, line, found = worst
    first = first_rejected(file.name, line, found)
    return InputDataError(
        f"{file.name}: {too_many}. The most frequent reason, {n_broken} times, first on "
        f"{closed(say([first]))}"
    )


def first_rejected(source_name: str, line: int, findings: str) -> Finding:
    """Return the finding about the first line of a file that breaks a rule; findings: about it, as JSON."""
    return Finding("first_rejected_line", source_name, {"line": line}, from_json(findings))


def _found(file: SourceFile, checked: CheckedFile, n_implausible: int) -> Iterable[str]:
    """Yield the queries for bad lines: line, rule, findings, example."""
    if checked.n_unreadable:
        yield f"SELECT line, rule, {array_sql('finding')}, NULL FROM unreadable_lines"
    no_object = quoted(as_json(_NO_OBJECT)), quoted(to_json([_NO_OBJECT]))
    for lines in checked.tables:
        if lines.n_broken:
            yield f"SELECT line, {', '.join(no_object)}, NULL FROM ({lines.unreadable_lines})"
            for log in lines.logs:
                yield _broken_lines(log, lines.broken_rows, file.join)
    if n_implausible:
        yield f"SELECT line, rule, {array_sql('finding')}, NULL FROM implausible_lines"


def _broken_lines(log: LogColumns, rows: str, join: JoinedFile | None) -> str:
    rules = list(enumerate(log.rules))
    first_broken = " ".join(f"WHEN {rule.broken} THEN {number}" for number, rule in rules)
    names = " ".join(f"WHEN {number} THEN {quoted(as_json(rule.finding))}" for number, rule in rules)
    reasons = " ".join(f"WHEN {number} THEN {rule.reason}" for number, rule in rules)
    example = _example(log)
    found = array_sql(f"CASE broken_rule {reasons} END", *([_if_alone(join)] if join else []))
    return f"""
        SELECT {LINE}, CASE broken_rule {names} END, {found}, {example}
        FROM (
            SELECT *, CASE {first_broken} END AS broken_rule
            FROM (SELECT *, {log.values({})} FROM (SELECT *, {log.texts({})} FROM ({rows})))
        )
        WHERE {log.belongs} AND broken_rule IS NOT NULL
    """


def _if_alone(join: JoinedFile) -> str:
    """Return the SQL for the finding that the line has no partner, which may be the cause; else null."""
    alone = finding_sql("no_partner", "line", {"other": join.file.name, "key": ", ".join(join.key_names)})
    return f"CASE WHEN {identifier(NO_PARTNER)} IS NOT NULL THEN {alone} END"


def _example(log: LogColumns) -> str:
    """Return the SQL expression for a row as findings in JSON: the shapes of its columns, without users."""
    schema = LOGS[log.mapping.log]
    return array_sql(*(_shape(check) for check in log.checks if not is_personal(schema, check.column)))


def _shape(check: ColumnCheck) -> str:
    shape = finding_sql("value_shape", check.column, None, **shape_sql(unmarked(check.text)))
    absent = finding_sql("value_absent", check.column)
    return f"CASE WHEN {check.text} IS NULL THEN {absent} ELSE {shape} END"
