"""Lines about what was shown, compared with what was published: the same user, place, item and propensity.

A line whose policy_version metacart has given claims to come from a published list, and so does a line that
names a night by its run_id. One that comes from none would be evidence with a wrong propensity, so it goes to
quarantine. A night that has left by [retention] says
nothing: what could be from it stays, and is counted.
"""

import duckdb

from features.contracts.finding_sql import finding_sql
from features.contracts.findings import Finding, as_json
from features.contracts.mapping import LINE, SourceFile
from features.contracts.policy_versions import first_night_sql
from features.contracts.sql_text import quoted
from features.warehouse.checked_lines import BROKEN_TEXT, CheckedFile, CheckedLines
from features.warehouse.log_columns import LogColumns
from features.warehouse.published_lists import PublishedList, PublishedLists
from features.warehouse.reader import blame_file
from features.warehouse.store import SQL

TOLERANCE = 1e-6
"""Largest relative difference of two propensities that are the same: float32 keeps seven digits."""

_LOG = "impressions"

_NO_VERSION = "SELECT CAST(NULL AS VARCHAR) AS policy_version, false AS names_night"
_NO_CLAIM = """
    SELECT
        CAST(NULL AS BIGINT) AS line,
        CAST(NULL AS VARCHAR) AS user_key,
        CAST(NULL AS VARCHAR) AS surface,
        CAST(NULL AS BIGINT) AS slot,
        CAST(NULL AS VARCHAR) AS item_id,
        CAST(NULL AS DOUBLE) AS propensity,
        CAST(NULL AS VARCHAR) AS policy_version,
        CAST(NULL AS VARCHAR) AS run_id,
        CAST(NULL AS DATE) AS shown_day,
        CAST(NULL AS DATE) AS first_night,
        CAST(NULL AS VARCHAR) AS differs,
        CAST(NULL AS DOUBLE) AS published,
        CAST(NULL AS DATE) AS night
    WHERE false
"""
"""The columns of claimed_lines, of no row."""

_NOT_SERVED = "not_what_was_served"
_COMPARED = ("policy_version", "user_id", "surface", "slot", "item_id", "propensity")


def find_unserved_lines(
    connection: duckdb.DuckDBPyConnection,
    file: SourceFile,
    checked: CheckedFile,
    published: PublishedLists,
    not_erased: str,
) -> int:
    """Write the lines that were not served as they say to the temporary table unserved_lines.

    Its rows: line, rule, finding, the latter two as JSON. Returns the number of lines that say so of lists of
    which none is left to compare them with. Call it after `make_pseudonyms`, and outside of a transaction:
    inside one, DuckDB 2.0 loses rows that are updated and then copied, where they are more than a row group.

    not_erased: as for `load_file`; lines of erased people are not compared, since their lists are erased too.
    Raises InputDataError, naming the file, when a published table can't be read.
    """
    _collect_claims(connection, checked, not_erased)
    for table in published.lists:
        if _has_claims_on(connection, table):
            with blame_file(
                f"{file.name} can't be compared with what the night {table.run_id} published: move the "
                f"night's folder away, and the warehouse's own copy is read. {table.place} can't be read"
            ):
                _read(connection, table)
            _compare(connection, table)
    _judge(connection, published)
    [(n_unchecked,)] = connection.execute(
        "SELECT count(DISTINCT line) FROM claimed_lines WHERE differs = 'unchecked'"
    ).fetchall()
    return int(n_unchecked)


def _collect_claims(connection: duckdb.DuckDBPyConnection, checked: CheckedFile, not_erased: str) -> None:
    """Write the good lines that claim to come from a published list to the temporary table claimed_lines.

    first_night: the night that the version names, null for a version of the shop's own. differs: the first
    column that differs from the newest list that the line was compared with, or what else became of it.
    """
    logs = [(lines, log) for lines in checked.tables for log in lines.logs if log.mapping.log == _LOG]
    versions = " UNION ALL ".join(
        f"SELECT {_typed(log)['policy_version']} AS policy_version, "
        f"{_typed(log).get('run_id', 'NULL')} IS NOT NULL AS names_night FROM ({lines.query})"
        for lines, log in logs
    )
    # A log has few versions, and a pattern costs more than a look-up. In one query, DuckDB would ask it of
    # every line.
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE shown_versions AS "
        f"SELECT policy_version, bool_or(names_night) AS names_night FROM ({versions or _NO_VERSION}) "
        "GROUP BY ALL"
    )
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE claiming_versions AS
        SELECT policy_version, first_night
        FROM (SELECT *, {first_night_sql("policy_version")} AS first_night FROM shown_versions)
        WHERE first_night IS NOT NULL OR names_night
        """
    )
    has_claims = connection.execute("SELECT 1 FROM claiming_versions LIMIT 1").fetchall()
    claims = [_claims(lines, log, not_erased) for lines, log in logs] if has_claims else []
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE claimed_lines AS {' UNION ALL '.join([_NO_CLAIM, *claims])}"
    )


def _typed(log: LogColumns) -> dict[str, str]:
    return {check.column: check.typed for check in log.checks}


def _claims(lines: CheckedLines, log: LogColumns, not_erased: str) -> str:
    typed = _typed(log)
    run_id = typed.get("run_id", "NULL")
    users = f"LEFT JOIN pseudonyms ON {typed['user_id']} = pseudonyms.user_id" if "user_id" in typed else ""
    return f"""
        SELECT
            {LINE}, {"user_key" if users else "NULL"}, {typed["surface"]}, {typed["slot"]},
            {typed["item_id"]}, {typed.get("propensity", "NULL")}, claiming.policy_version,
            {run_id}, CAST({typed["shown_at"]} AS DATE), first_night, NULL, NULL, NULL
        FROM ({lines.query})
        JOIN claiming_versions AS claiming ON {typed["policy_version"]} = claiming.policy_version
        {users}
        WHERE {log.belongs} AND {BROKEN_TEXT} IS NULL AND {not_erased if users else "true"}
            AND (first_night IS NOT NULL OR {run_id} IS NOT NULL)
    """


def _has_claims_on(connection: duckdb.DuckDBPyConnection, table: PublishedList) -> bool:
    found = connection.execute(
        """
        SELECT 1 FROM claimed_lines
        WHERE run_id = $run_id OR (run_id IS NULL AND first_night <= $as_of AND shown_day > $as_of)
        LIMIT 1
        """,
        {"run_id": table.run_id, "as_of": table.as_of},
    )
    return bool(found.fetchall())


def _read(connection: duckdb.DuckDBPyConnection, table: PublishedList) -> None:
    """Copy what concerns the claims into two temporary tables: published_versions and published_list.

    A table of lists has all users of the shop, and a log those of a day.
    """
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE published_versions AS
        SELECT DISTINCT policy_version FROM ({table.query})
        WHERE policy_version IN (SELECT policy_version FROM claimed_lines)
        """
    )
    users = "true" if table.is_for_everybody else "shown_to IN (SELECT user_key FROM claimed_lines)"
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE published_list AS
        FROM ({table.query})
        WHERE policy_version IN (SELECT policy_version FROM published_versions) AND {users}
        """
    )


def _compare(connection: duckdb.DuckDBPyConnection, table: PublishedList) -> None:
    """Remove the lines that are as the table has them, and note of the others what differs."""
    asked = {"run_id": table.run_id, "as_of": table.as_of, "is_for_everybody": table.is_for_everybody}
    connection.execute(
        f"DELETE FROM claimed_lines WHERE rowid IN ({_query('served_lines')})",
        asked | {"tolerance": TOLERANCE},
    )
    connection.execute(
        f"""
        UPDATE claimed_lines SET differs = found.differs, published = found.published, night = $as_of
        FROM ({_query("unserved_lines")}) AS found
        WHERE claimed_lines.rowid = found.claim
        """,
        asked,
    )


def _query(name: str) -> str:
    return (SQL / "queries" / f"{name}.sql").read_text()


def _judge(connection: duckdb.DuckDBPyConnection, published: PublishedLists) -> None:
    """Say of the lines that are left why they are rejected, or that nothing is left to compare them with."""
    # A night that published no list has served none.
    connection.execute(
        """
        WITH nights AS (
            SELECT
                rowid AS claim,
                coalesce(TRY_CAST(left(run_id, 10) AS DATE), first_night) AS earliest,
                coalesce(list_contains($run_ids, run_id), false) AS is_known
            FROM claimed_lines
            WHERE differs IS NULL
        )
        UPDATE claimed_lines SET
            differs = CASE
                WHEN is_known THEN 'policy_version'
                WHEN $oldest IS NULL OR earliest < $oldest THEN 'unchecked'
                ELSE 'nobody_published'
            END,
            night = CASE WHEN is_known THEN earliest END
        FROM nights
        WHERE claimed_lines.rowid = nights.claim
        """,
        {"run_ids": sorted(published.run_ids), "oldest": published.oldest},
    )
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE unserved_lines AS
        SELECT line, rule, finding
        FROM ({_nobody_published()} UNION ALL {_not_what_was_served()}) AS found(line, rule, finding)
        """
    )


def _nobody_published() -> str:
    by_run, by_version = Finding("nobody_published", "run_id"), Finding("nobody_published", "policy_version")
    named = f"CASE WHEN run_id IS NULL THEN {quoted(as_json(by_version))} ELSE {quoted(as_json(by_run))} END"
    return f"SELECT line, {named}, {named} FROM claimed_lines WHERE differs = 'nobody_published'"


def _not_what_was_served() -> str:
    night = "CAST(night AS VARCHAR)"
    rules, found = [], []
    for column in _COMPARED:
        shared = finding_sql(_NOT_SERVED, column, night=night)
        both = finding_sql(_NOT_SERVED, column, night=night, logged="propensity", published="published")
        rules.append(f"WHEN '{column}' THEN {shared}")
        found.append(f"WHEN '{column}' THEN {both if column == 'propensity' else shared}")
    return (
        f"SELECT line, CASE differs {' '.join(rules)} END, CASE differs {' '.join(found)} END "
        "FROM claimed_lines WHERE night IS NOT NULL"
    )
