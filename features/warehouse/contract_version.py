"""The version of a file's contract and mapping: with another one its bytes are read once more."""

import hashlib
from datetime import date

from features.contracts.check import column_checks
from features.contracts.limits import DEFAULT_LIMITS, Limits
from features.contracts.logs import LOGS, ROW_RULES
from features.contracts.mapping import JoinedFile, SourceFile
from features.warehouse.plausible_times import FIRST_DAY


def contract_version(file: SourceFile, first_day: date = FIRST_DAY, limits: Limits = DEFAULT_LIMITS) -> str:
    """Return 12 characters that change when the same bytes would be read in another way."""
    checks = [column_checks(LOGS[mapping.log], "", limits) for mapping in file.logs]
    rules = [ROW_RULES.get(mapping.log, ()) for mapping in file.logs]
    mappings = [
        (into.log, sorted(into.columns.items()), into.where, into.elements, into.one_row_per_key)
        for into in file.logs
    ]
    summed = (file.source, file.is_part, [into.adds_identical_lines for into in file.logs])
    treated = [
        (into.log, name, sorted((column.metadata or {}).items()))
        for into in file.logs
        for name, column in LOGS[into.log].columns().items()
    ]
    shape = (
        file.file_format,
        file.delimiter,
        file.encoding,
        file.skip_lines,
        sorted(file.required),
        sorted(file.optional),
        first_day,
        summed,
        limits.max_line_bytes,
    )
    meaning = (shape, mappings, checks, rules, treated)
    return hashlib.sha256(repr(meaning + _form_of_join(file.join)).encode()).hexdigest()[:12]


def _form_of_join(join: JoinedFile | None) -> tuple[object, ...]:
    """Return how a joined file is read, without its content.

    Empty where none is joined, so that files of earlier versions are not read again.
    """
    if join is None:
        return ()
    form = (
        join.file.name,
        join.file.file_format,
        join.file.delimiter,
        join.file.encoding,
        join.file.skip_lines,
    )
    return form, join.on, join.prefix, join.null_values, join.is_trimmed
