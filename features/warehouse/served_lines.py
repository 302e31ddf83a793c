"""Lines about what was shown, compared with what was published: the same user, place, item and propensity.

A line whose policy_version metacart has given claims to come from a published list. One that comes from none
would be evidence with a wrong propensity, so it goes to quarantine. A night that has left by [retention] says
nothing: what could be from it stays, and is counted.
"""

from dataclasses import dataclass

import duckdb

from features.contracts.finding_sql import finding_sql
from features.contracts.findings import Finding, as_json, finding
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

_COMPARED = ("policy_version", "user_id", "surface", "slot", "item_id", "propensity")


@dataclass(frozen=True)
class UnservedLines:
    """How many lines there are.

    n_implausible: in implausible_lines. n_unchecked: no published list is left to compare them with.
    """

    n_implausible: int
    n_unchecked: int

    def notes(self, file: SourceFile) -> list[Finding]:
        """Return what is worth knowing of the file beside its rejected lines."""
        if not self.n_unchecked:
            return []
        return [finding("shown_rows_unchecked", file.name, n_rows=self.n_unchecked)]


def mark_unserved_lines(
    connection: duckdb.DuckDBPyConnection,
    file: SourceFile,
    checked: CheckedFile,
    published: PublishedLists,
    not_erased: str,
) -> UnservedLines:
    """Add the lines that were not served as they say to the temporary table implausible_lines.

    Call it after `mark_implausible_lines` and `make_pseudonyms`. not_erased: as for `load_file`; lines of
    erased people are not compared, since their lists are erased too.
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
    [(n_implausible,)] = connection.execute("SELECT count(DISTINCT line) FROM implausible_lines").fetchall()
    return UnservedLines(int(n_implausible), int(n_unchecked))


def _collect_claims(connection: duckdb.DuckDBPyConnection, checked: CheckedFile, not_erased: str) -> None:
    """Write the good lines whose version metacart has given to the temporary table claimed_lines.

    first_night: the night that the version names. run_night: the one that the line names. differs: the first
    column that differs from the newest list that it was compared with, or what else became of it.
    """
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE claimed_lines (
            line BIGINT, user_key VARCHAR, surface VARCHAR, slot BIGINT, item_id VARCHAR, propensity DOUBLE,
            policy_version VARCHAR, run_id VARCHAR, shown_day DATE, first_night DATE,
            differs VARCHAR, published DOUBLE, night DATE
        )
        """
    )
    for lines in checked.tables:
        for log in lines.logs:
            if log.mapping.log == _LOG:
                connection.execute(f"INSERT INTO claimed_lines {_claims(lines, log, not_erased)}")


def _claims(lines: CheckedLines, log: LogColumns, not_erased: str) -> str:
    typed = {check.column: check.typed for check in log.checks}
    good = f"FROM ({lines.query}) WHERE {log.belongs} AND {BROKEN_TEXT} IS NULL"
    user = typed.get("user_id", "CAST(NULL AS VARCHAR)")
    users = "LEFT JOIN pseudonyms ON good.user_id = pseudonyms.user_id" if "user_id" in typed else ""
    return f"""
        WITH good AS (
            SELECT
                {LINE} AS line, {user} AS user_id, {typed["surface"]} AS surface, {typed["slot"]} AS slot,
                {typed["item_id"]} AS item_id, {typed.get("propensity", "NULL")} AS propensity,
                {typed["policy_version"]} AS policy_version, {typed.get("run_id", "NULL")} AS run_id,
                CAST({typed["shown_at"]} AS DATE) AS shown_day
            {good}
        ),
        -- a log has few versions, and a pattern is dear
        versions AS (
            SELECT policy_version, {first_night_sql("policy_version")} AS first_night
            FROM (SELECT DISTINCT policy_version FROM good)
        )
        SELECT
            line, {"user_key" if users else "NULL"}, surface, slot, item_id, propensity, policy_version,
            run_id, shown_day, first_night, NULL, NULL, NULL
        FROM good JOIN versions USING (policy_version) {users}
        WHERE first_night IS NOT NULL AND {not_erased if users else "true"}
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
    for rejected in (_nobody_published(), _not_what_was_served()):
        connection.execute(f"INSERT INTO implausible_lines {rejected}")


def _nobody_published() -> str:
    by_run, by_version = Finding("nobody_published", "run_id"), Finding("nobody_published", "policy_version")
    named = f"CASE WHEN run_id IS NULL THEN {quoted(as_json(by_version))} ELSE {quoted(as_json(by_run))} END"
    return f"SELECT line, {named}, {named} FROM claimed_lines WHERE differs = 'nobody_published'"


def _not_what_was_served() -> str:
    night = {"night": "CAST(night AS VARCHAR)"}
    both = night | {"logged": "propensity", "published": "published"}
    rules, found = [], []
    for column in _COMPARED:
        numbers = both if column == "propensity" else night
        rules.append(f"WHEN '{column}' THEN {finding_sql('not_what_was_served', column, **night)}")
        found.append(f"WHEN '{column}' THEN {finding_sql('not_what_was_served', column, **numbers)}")
    return (
        f"SELECT line, CASE differs {' '.join(rules)} END, CASE differs {' '.join(found)} END "
        f"FROM claimed_lines WHERE night IS NOT NULL"
    )
