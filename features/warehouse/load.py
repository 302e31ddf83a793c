"""One file into the raw tables: checked line by line, in one transaction with its manifest row.

A file loaded twice is there once, also under two names; a file whose content changed replaces its old rows.
Every data line is either loaded or in quarantine with its number and a reason.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

import duckdb

from features.contracts.findings import Say, to_json
from features.contracts.limits import DEFAULT_LIMITS, Limits
from features.contracts.logs import ADDED_UP, LOGS
from features.contracts.mapping import SourceFile
from features.contracts.plain_text import shown
from features.errors import InputDataError, UsageError
from features.warehouse.census import Census, take_census
from features.warehouse.checked_lines import CheckedFile, check_file, drop_lines
from features.warehouse.contract_version import contract_version
from features.warehouse.crash_points import crash_point
from features.warehouse.implausible_lines import mark_implausible_lines, n_forgiven, remember_prices
from features.warehouse.joined_lines import scan_joining, store_partners
from features.warehouse.log_days import days_between
from features.warehouse.manifest import (
    HeldFile,
    forget_file,
    held_content,
    held_file,
    next_load_number,
    previous_names,
    record_file,
)
from features.warehouse.notes import (
    drift_notes,
    gap_note,
    late_note,
    lone_lines_note,
    replacement_note,
    twin_note,
    unchecked_note,
    write_notes,
)
from features.warehouse.plausible_times import FIRST_DAY, PlausibleTimes, first_received
from features.warehouse.published_lists import PublishedLists
from features.warehouse.quarantine import quarantine, refuse_file
from features.warehouse.reader import MAPPING_ERRORS, blame_file, scan_file
from features.warehouse.restated_days import refuse_shrinking
from features.warehouse.served_lines import find_unserved_lines
from features.warehouse.store import release_pages, transaction
from features.warehouse.stored_rows import StoredValue, as_it_is, make_pseudonyms, store_rows
from features.warehouse.watermark import Watermark, late_dates

# A log of daily sums with one day a week probably has weekly sums.
DAYS_OF_A_WEEK = 7

NOTHING_PUBLISHED = PublishedLists()

Outcome = Literal["loaded", "replaced", "unchanged"]


@dataclass(frozen=True)
class LoadedFile:
    """The result of loading a file.

    outcome: `replaced` when rows of an older content, mapping or key were replaced; `unchanged` when the
        warehouse already had the file, or another one of the same content, and no row was stored.
    n_lines = n_loaded + n_rejected.
    late_dates: closed days that got rows from this file.
    twin_of: another file of the same content, whose rows stand for this one.
    joined: name and hash of the file that it joins.
    """

    name: str
    sha256: str
    outcome: Outcome
    n_lines: int
    n_loaded: int
    n_rejected: int
    late_dates: tuple[date, ...] = ()
    twin_of: str | None = None
    joined: tuple[str, str] | None = None


@dataclass(frozen=True)
class _Terms:
    """The options of a load, see `load_file`."""

    key_id: str
    max_rejected_share: float
    watermark: Watermark | None
    times: PlausibleTimes
    stored_value: StoredValue
    not_erased: str
    say: Say
    limits: Limits


def load_file(
    connection: duckdb.DuckDBPyConnection,
    file: SourceFile,
    *,
    pseudonym_sql: str,
    key_id: str,
    max_rejected_share: float,
    watermark: Watermark | None = None,
    first_day: date = FIRST_DAY,
    now: datetime | None = None,
    stored_value: StoredValue = as_it_is,
    not_erased: str = "true",
    published: PublishedLists = NOTHING_PUBLISHED,
    say: Say = to_json,
    limits: Limits = DEFAULT_LIMITS,
) -> LoadedFile:
    """Load one file into the raw tables of the logs that it feeds.

    pseudonym_sql: SQL expression over a text column `user_id`; key_id: which key is in it.
    max_rejected_share: with a larger share the file is refused, and the warehouse is not changed.
    watermark: the days that are closed to a new file; None for no day. A file that comes again replaces its
        old rows, whatever their days.
    first_day: no row may be older.
    now: when the file is received, if it never came with this name and content; no row may be later. None for
        no such limit.
    stored_value: the stored form of a value, by its SQL expression and its column's metadata.
    not_erased: SQL condition over user_key; rows of people who were erased stay out, unseen by the counts.
    published: the lists of earlier nights. A row that says it was served by one of them is compared with it.
    say: makes the sentence about a bad line where one refuses the file; by default its findings as JSON.
    limits: the largest texts, lines and files that are read.
    A line is quarantined whole when it breaks a rule of any of its logs.

    Raises InputDataError when the file is missing, unreadable, changing, too large, or has too many bad
    lines; UsageError when the mapping doesn't fit the contracts.
    """
    _refuse_unfit_mapping(file)
    both = [file, *([file.join.file] if file.join else [])]
    for one in both:
        refuse_unfit_path(one)
    before = [_signature(one) for one in both]
    census = take_census(file.path, has_lines=file.file_format != "parquet", limits=limits)
    version = contract_version(file, first_day, limits)
    joined = _joined(file)
    held = held_file(connection, file.name)
    meaning = (census.sha256, key_id, version, joined and joined[1])
    if held and held.meaning == meaning and held.twin_of is None:
        return replace(_unchanged(held), joined=joined)
    # A file of sums that comes again states its days again, even with the same bytes as an older one.
    twin = None if _restates(file) else held_content(connection, census.sha256)
    if twin and twin.meaning == meaning and twin.source_name != file.name and twin.n_lines:
        if held is None or held.meaning != meaning or held.twin_of != twin.source_name:
            _record_twin(connection, file, held, twin)
        return replace(_unchanged(twin), name=file.name, twin_of=twin.source_name, joined=joined)
    received_at = first_received(connection, file.name, census.sha256, now)
    terms = _Terms(
        key_id,
        max_rejected_share,
        None if held else watermark,
        PlausibleTimes(first_day, received_at),
        stored_value,
        not_erased,
        say,
        limits,
    )
    try:
        with (
            blame_file(f"{file.name} can't be read as {file.file_format}"),
            blame_file(f"{file.name} does not fit its mapping", MAPPING_ERRORS),
        ):
            checked = _check(connection, file, census, terms)
        make_pseudonyms(connection, file, checked, pseudonym_sql)
        n_unchecked = find_unserved_lines(connection, file, checked, published, not_erased)
        crash_point("after the file is read")
        with transaction(connection):
            row, late = _store(
                connection,
                file,
                checked,
                census=census,
                terms=terms,
                n_unchecked=n_unchecked,
                version=version,
                held=held,
                joined=joined,
            )
            for one, signature in zip(both, before, strict=True):
                if _signature(one) != signature:
                    raise InputDataError(
                        f"{one.name} changed while it was read; load it when its writer is done."
                    )
        crash_point("after the commit")
    finally:
        drop_lines(connection)
        release_pages(connection)
    outcome: Outcome = "replaced" if held else "loaded"
    return LoadedFile(
        file.name, row.file_sha256, outcome, row.n_lines, row.n_loaded, row.n_rejected, late, joined=joined
    )


def _joined(file: SourceFile) -> tuple[str, str] | None:
    """Return name and hash of the file that this one joins."""
    if file.join is None:
        return None
    return file.join.file.name, take_census(file.join.file.path, has_lines=False).sha256


def _restates(file: SourceFile) -> bool:
    return not file.is_part and any(mapping.log in ADDED_UP for mapping in file.logs)


def _unchanged(held: HeldFile) -> LoadedFile:
    return LoadedFile(
        held.source_name, held.file_sha256, "unchanged", held.n_lines, held.n_loaded, held.n_rejected
    )


def _record_twin(
    connection: duckdb.DuckDBPyConnection, file: SourceFile, held: HeldFile | None, twin: HeldFile
) -> None:
    """Write in the manifest that another file's rows count for this one, and remove its old rows."""
    with transaction(connection):
        if held:
            forget_file(connection, held)
        load_number = next_load_number(connection)
        record_file(
            connection,
            replace(
                twin,
                load_number=load_number,
                source_name=file.name,
                replaced_sha256=held.file_sha256 if held else None,
                twin_of=twin.source_name,
            ),
        )
        write_notes(connection, load_number, [twin_note(file.name, twin)])


def _check(
    connection: duckdb.DuckDBPyConnection, file: SourceFile, census: Census, terms: _Terms
) -> CheckedFile:
    # An empty text has no lines; an empty Parquet file is a broken one.
    if not census.n_bytes and file.file_format != "parquet":
        return CheckedFile()
    limits = terms.limits
    partners = store_partners(connection, file, terms.say, limits)
    scan = (
        scan_joining(connection, file, census, partners, limits)
        if partners
        else scan_file(connection, file, census, limits=limits)
    )
    return check_file(connection, file, scan, terms.watermark, terms.times, partners=partners, limits=limits)


def _store(
    connection: duckdb.DuckDBPyConnection,
    file: SourceFile,
    checked: CheckedFile,
    *,
    census: Census,
    terms: _Terms,
    n_unchecked: int,
    version: str,
    held: HeldFile | None,
    joined: tuple[str, str] | None,
) -> tuple[HeldFile, tuple[date, ...]]:
    """Write rows, quarantine, notes and manifest; return the row of the manifest and the late days."""
    previous = previous_names(connection, version) if checked.names else None
    notes = drift_notes(file.name, checked.names, previous, checked.absent)
    if file.join and checked.n_without_partner:
        notes.append(lone_lines_note(file.name, file.join, checked.n_without_partner, checked.n_lines))
    if held:
        notes.append(replacement_note(held, census.sha256, checked.n_lines))
        forget_file(connection, held)
    load_number = next_load_number(connection)
    if n_unchecked:
        notes.append(unchecked_note(file.name, n_unchecked))
    n_implausible = mark_implausible_lines(connection, file, checked)
    n_rejected = quarantine(connection, file, checked, load_number, n_implausible=n_implausible)
    n_counted = n_rejected - n_forgiven(connection, load_number, checked.n_lines)
    if n_counted > terms.max_rejected_share * checked.n_lines:
        too_many = (
            f"{n_rejected} of {checked.n_lines} lines are bad, above the allowed share "
            f"{terms.max_rejected_share:g}"
        )
        raise refuse_file(connection, file, load_number, too_many, terms.say)
    store_rows(
        connection,
        file,
        checked,
        load_number,
        stored_value=terms.stored_value,
        not_erased=terms.not_erased,
        has_implausible=n_implausible > 0,
    )
    if any(mapping.log == "purchases" for mapping in file.logs):
        remember_prices(connection, load_number)
    if _restates(file):
        refuse_shrinking(connection, file, load_number, terms.times.received_at)
    crash_point("after its rows are stored")
    logs = [mapping.log for mapping in file.logs]
    for log in ADDED_UP.keys() & set(logs):
        gap = days_between(connection, log, load_number)
        if gap and gap >= DAYS_OF_A_WEEK:
            notes.append(gap_note(file.name, gap))
    late = late_dates(connection, logs, load_number, terms.watermark) if terms.watermark else ()
    if late and terms.watermark:
        notes.append(late_note(file.name, late, terms.watermark))
    row = HeldFile(
        load_number=load_number,
        source_name=file.name,
        file_sha256=census.sha256,
        replaced_sha256=held.file_sha256 if held else None,
        n_bytes=census.n_bytes,
        n_lines=checked.n_lines,
        n_loaded=checked.n_lines - n_rejected,
        n_rejected=n_rejected,
        logs=logs,
        key_id=terms.key_id,
        contract_version=version,
        names=list(checked.names),
        source=file.source,
        is_part=file.is_part,
        adds_identical_lines=any(mapping.adds_identical_lines for mapping in file.logs),
        one_row_per_key=[mapping.log for mapping in file.logs if mapping.one_row_per_key],
        received_at=terms.times.received_at,
        joined_sha256=joined[1] if joined else None,
    )
    write_notes(connection, load_number, notes)
    record_file(connection, row)
    return row, late


def _signature(file: SourceFile) -> tuple[int, int]:
    stat = file.path.stat()
    return stat.st_size, stat.st_mtime_ns


def refuse_unfit_path(file: SourceFile) -> None:
    """Raise InputDataError where there is no file, or DuckDB would take its path for something else."""
    if not file.path.is_file():
        raise InputDataError(f"{file.name}: there is no file at {shown(str(file.path))}.")
    if not str(file.path).isprintable():
        raise InputDataError(
            f"{file.name}: the path {shown(str(file.path))} has control characters, or bytes that are not "
            "UTF-8. Rename the file."
        )
    if any(character in str(file.path) for character in "*?[]"):
        raise InputDataError(
            f"{file.name}: the path {file.path} has one of *?[], which DuckDB takes for a pattern."
        )


def _refuse_unfit_mapping(file: SourceFile) -> None:
    for mapping in file.logs:
        if mapping.log not in LOGS:
            raise UsageError(f"{file.name} is mapped to {mapping.log}; the logs are {', '.join(LOGS)}.")
        columns = LOGS[mapping.log].columns()
        unknown = [name for name in mapping.columns if name not in columns]
        missing = [
            name for name, column in columns.items() if not column.nullable and name not in mapping.columns
        ]
        if unknown or missing:
            raise UsageError(
                f"{file.name} does not fit the log {mapping.log}: columns without a mapping: "
                f"{', '.join(missing) or 'none'}; mapped but not in the log: {', '.join(unknown) or 'none'}."
            )
