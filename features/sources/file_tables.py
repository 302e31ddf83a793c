"""The `[[files]]` tables of a shop's configuration: the description of its own files, without Python.

[[files]]
path = "events/*.csv.gz"        # relative to shop.logs; * and ? as in a shell, ** for any folders
time_zone = "Europe/Berlin"     # of times without an offset

[files.events]                  # one table for each log that the file feeds
where = "action <> 'buy'"
columns.occurred_at = "at"      # contract column = column of the file
columns.user_id = "visitor"
columns.item_id = "sku"
expressions.event_type = "case action when 'basket' then 'add_to_cart' else action end"
ids.event_id = "row number"     # or the columns that together name a row

[files.purchases]
where = "action = 'buy'"
columns.order_id = "order"
ids.line = "row number"
columns.ordered_at = "at"
columns.user_id = "visitor"
columns.item_id = "sku"
columns.price_cents = "price"
units.price_cents = "currency"  # 35.79 is 3579 cents
constants.quantity = 1
constants.currency_code = "EUR"
constants.is_cancelled = false
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

import dataframely as dy

from features.contracts.check import is_personal
from features.contracts.logs import ADDED_UP, LOGS
from features.contracts.mapping import ELEMENT, ELEMENT_NUMBER, FileFormat
from features.contracts.sql_text import quoted
from features.errors import UsageError
from features.sources.blanks import refuse_blanks
from features.sources.expressions import parse_condition, parse_expression
from features.sources.file_form import FORM_KEYS, parse_form
from features.sources.join_table import JoinTable, parse_join
from features.sources.local_time import EPOCHS, refuse_unknown_patterns, utc_time
from features.sources.money import CENTS_PER
from features.sources.number_forms import DECIMALS, THOUSANDS, NumberForm
from features.sources.operands import Expression
from features.sources.toml_values import flag_of, refuse_unknown, table_of, text_of, texts_of

ROW_NUMBER = "row number"

FILE_KEYS = (
    *FORM_KEYS,
    *("trim", "null_values", "decimal", "thousands", "currency_sign", "time_zone", "time_format"),
    *("optional", "parts", "join"),
)
LOG_KEYS = (
    *("columns", "constants", "expressions", "ids", "units", "where", "elements"),
    *("one_row_per_key", "identical_lines"),
)
IDENTICAL_LINES = ("once", "add")

# The names of a list's element, and of its number from 1, in expressions of a log with `elements`.
ELEMENT_NAMES = {"element": ELEMENT, "element_number": f"CAST({ELEMENT_NUMBER} AS VARCHAR)"}


@dataclass(frozen=True)
class LogTable:
    """The mapping of a file's lines onto one log.

    reads: contract column → its source, a column of the file or an expression over several.
    constants: contract column → the text that every row has there.
    ids: contract column → the columns that together name a row; none for the number of the line.
    units: contract column in cents → its unit in the file, one of features.sources.money.CENTS_PER.
    where: the condition of lines that are rows of the log; None for all.
    one_row_per_key, adds_identical_lines: see features.contracts.mapping.LogMapping.
    elements: a JSON list, each element of which is a row; None where a line is one.
    """

    log: str
    reads: Mapping[str, Expression]
    constants: Mapping[str, str] = field(default_factory=dict)
    ids: Mapping[str, tuple[Expression, ...]] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    where: Expression | None = None
    elements: Expression | None = None
    one_row_per_key: bool = False
    adds_identical_lines: bool = False

    def columns_behind(self, contract_columns: Collection[str]) -> frozenset[str]:
        """Return the file's columns that feed any of these contract columns."""
        read = (read.columns for name, read in self.reads.items() if name in contract_columns)
        named = (
            part.columns for name, parts in self.ids.items() if name in contract_columns for part in parts
        )
        return frozenset[str]().union(*read, *named)


@dataclass(frozen=True)
class FileTable:
    """Files of one form, and the logs that each of them feeds.

    path: path or pattern relative to the folder of the logs.
    time_formats: strptime patterns tried in turn, or one of features.sources.local_time.EPOCHS.
    optional: columns that a file may lack.
    is_part: whether the files add up, see features.contracts.mapping.SourceFile.
    encoding, skip_lines: as SourceFile has them.
    number_form: the format of its numbers; None where none is given.
    join: another file, whose columns are read like its own.
    null_values, is_trimmed: words that mean null; whether spaces around a value are removed.
    """

    path: str
    file_format: FileFormat
    delimiter: str
    time_zone: str | None
    time_formats: tuple[str, ...]
    optional: frozenset[str]
    logs: tuple[LogTable, ...]
    is_part: bool = False
    encoding: str | None = None
    skip_lines: int = 0
    number_form: NumberForm | None = None
    join: JoinTable | None = None
    null_values: tuple[str, ...] = ()
    is_trimmed: bool = False

    @property
    def formats(self) -> frozenset[FileFormat]:
        """The formats that its values come from."""
        return frozenset({self.file_format, *([self.join.form.file_format] if self.join else [])})


def parse_file_tables(tables: Sequence[Mapping[str, object]]) -> tuple[FileTable, ...]:
    """Return the `[[files]]` tables of a configuration as records.

    Raises UsageError, with the key, where a blank is left to fill in, or a table has an unknown column, lacks
    a column that a log needs, or maps a user id to a column that is stored unchanged.
    """
    refuse_blanks(tables)
    return tuple(_file_table(table, f"files[{number}]") for number, table in enumerate(tables))


def _file_table(table: Mapping[str, object], key: str) -> FileTable:
    refuse_unknown(table, (*FILE_KEYS, *LOGS), key, "key or log")
    form = parse_form(table, key)
    join = parse_join(table, key)
    time_zone = text_of(table, "time_zone", key) if "time_zone" in table else None
    time_formats = texts_of(table, "time_format", key)
    null_values, is_trimmed = texts_of(table, "null_values", key), flag_of(table, "trim", key)
    said = _SaidValue(null_values, is_trimmed)
    logs = tuple(
        _log_table(log, table_of(table, log, key), f"{key}.{log}", said) for log in LOGS if log in table
    )
    _refuse_unfit_times(logs, time_zone, time_formats, key)
    if not logs:
        raise UsageError(f"{key} feeds no log: add a table [files.<log>], one of {', '.join(LOGS)}.")
    _keep_user_ids_apart(logs, join, key)
    is_part = flag_of(table, "parts", key)
    if is_part and not any(log.log in ADDED_UP for log in logs):
        raise UsageError(
            f"{key}.parts = true is for logs whose lines add up ({', '.join(ADDED_UP)}); rows of the other "
            "logs have ids, and files of them add to each other anyway."
        )
    return FileTable(
        path=form.path,
        file_format=form.file_format,
        delimiter=form.delimiter,
        time_zone=time_zone,
        time_formats=time_formats,
        optional=frozenset(texts_of(table, "optional", key)),
        logs=logs,
        is_part=is_part,
        encoding=form.encoding,
        skip_lines=form.skip_lines,
        number_form=_number_form(table, key),
        join=join,
        null_values=null_values,
        is_trimmed=is_trimmed,
    )


@dataclass(frozen=True)
class _SaidValue:
    """The reading of a file's texts: words that mean null, and whether spaces around a value are removed."""

    null_values: tuple[str, ...]
    is_trimmed: bool
    elements: Expression | None = None

    def __call__(self, name: str) -> Expression:
        if self.elements and name in ELEMENT_NAMES:
            return Expression(ELEMENT_NAMES[name], "text", self.elements.columns)
        column = Expression.of_column(name)
        sql = f"trim({column.sql})" if self.is_trimmed else column.sql
        if self.null_values:
            sql = f"CASE WHEN {sql} NOT IN ({', '.join(map(quoted, self.null_values))}) THEN {sql} END"
        return column if sql == column.sql else replace(column, sql=f"({sql})")


def _refuse_unfit_times(
    logs: Sequence[LogTable], time_zone: str | None, time_formats: tuple[str, ...], key: str
) -> None:
    """Refuse a time without its zone; a day needs none, because it is used as it is in the file."""
    kinds = {type(LOGS[log.log].columns()[name]) for log in logs for name in log.reads}
    try:
        if time_zone or dy.Datetime in kinds or dy.Date not in kinds:
            utc_time("NULL", time_zone=time_zone, formats=time_formats)
        elif time_formats[:1] not in [(epoch,) for epoch in EPOCHS]:
            refuse_unknown_patterns(time_formats)
    except UsageError as error:
        raise UsageError(f"{key}.{'time_format' if time_formats else 'time_zone'}: {error}") from None


def _number_form(table: Mapping[str, object], key: str) -> NumberForm | None:
    if not table.keys() & {"decimal", "thousands", "currency_sign"}:
        return None
    form = NumberForm(
        decimal=text_of(table, "decimal", key, "."),
        thousands=text_of(table, "thousands", key, ""),
        currency_sign=text_of(table, "currency_sign", key, ""),
    )
    if form.decimal not in DECIMALS:
        raise UsageError(f'{key}.decimal = {form.decimal!r} must be "." or ",".')
    if form.thousands and (form.thousands not in THOUSANDS or form.thousands == form.decimal):
        raise UsageError(
            f"{key}.thousands = {form.thousands!r} must be a point, a comma, a space or an apostrophe, and "
            "another sign than decimal."
        )
    return form


def _log_table(log: str, table: Mapping[str, object], key: str, said: "_SaidValue") -> LogTable:
    refuse_unknown(table, LOG_KEYS, key, "key")
    schema = LOGS[log]
    parts = {
        name: table_of(table, name, key) for name in ("columns", "constants", "expressions", "ids", "units")
    }
    for name, part in parts.items():
        refuse_unknown(part, schema.column_names(), f"{key}.{name}", f"column of {log}")
    fed = list(chain.from_iterable(parts[name] for name in ("columns", "constants", "expressions", "ids")))
    for column in fed:
        if fed.count(column) > 1:
            raise UsageError(
                f"{key}.{column} is given twice; keep one of columns, constants, expressions, ids."
            )
    missing = [name for name, kind in schema.columns().items() if not kind.nullable and name not in fed]
    if missing:
        raise UsageError(
            f"{key} leaves out {', '.join(missing)}, which every row of {log} needs: name the file's column "
            "under columns, or set it by constants, expressions or ids."
        )
    elements = (
        parse_expression(text_of(table, "elements", key), f"{key}.elements", said)
        if "elements" in table
        else None
    )
    said = replace(said, elements=elements)
    columns = {name: said(text_of(parts["columns"], name, key)) for name in parts["columns"]}
    expressions = {
        name: parse_expression(text_of(parts["expressions"], name, key), f"{key}.expressions.{name}", said)
        for name in parts["expressions"]
    }
    return LogTable(
        log=log,
        reads=columns | expressions,
        constants={
            name: _constant(value, f"{key}.constants.{name}") for name, value in parts["constants"].items()
        },
        ids={name: tuple(map(said, columns)) for name, columns in _ids(schema, parts["ids"], f"{key}.ids")},
        units=dict(_units(schema, parts["units"], columns | expressions, f"{key}.units")),
        where=parse_condition(text_of(table, "where", key), f"{key}.where", said)
        if "where" in table
        else None,
        elements=elements,
        one_row_per_key=flag_of(table, "one_row_per_key", key),
        adds_identical_lines=_adds_identical_lines(log, table, key),
    )


def _adds_identical_lines(log: str, table: Mapping[str, object], key: str) -> bool:
    if "identical_lines" not in table:
        return False
    said = text_of(table, "identical_lines", key)
    if said not in IDENTICAL_LINES:
        raise UsageError(f"{key}.identical_lines = {said!r} must be one of {', '.join(IDENTICAL_LINES)}.")
    if log not in ADDED_UP:
        raise UsageError(
            f"{key}.identical_lines is for logs whose lines add up ({', '.join(ADDED_UP)}); a row of {log} "
            "has an id, and counts once."
        )
    return said == "add"


def _ids(
    schema: type[dy.Schema], table: Mapping[str, object], key: str
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, value in table.items():
        if value == ROW_NUMBER:
            yield name, ()
        elif isinstance(schema.columns()[name], dy.String) and (columns := texts_of(table, name, key)):
            yield name, columns
        else:
            raise UsageError(
                f"{key}.{name} = {value!r} must be {ROW_NUMBER!r}, or a list of columns for a text."
            )


def _units(
    schema: type[dy.Schema], table: Mapping[str, object], reads: Collection[str], key: str
) -> Iterator[tuple[str, str]]:
    for name in table:
        unit = text_of(table, name, key)
        if unit not in CENTS_PER:
            raise UsageError(f"{key}.{name} = {unit!r} is not a unit; there are {', '.join(CENTS_PER)}.")
        if name not in reads or (schema.columns()[name].metadata or {}).get("unit") != "cents":
            raise UsageError(f"{key}.{name}: a unit belongs to a column in cents that the file has.")
        yield name, unit


def _keep_user_ids_apart(logs: tuple[LogTable, ...], join: JoinTable | None, key: str) -> None:
    """Refuse a mapping by which a user id would be stored unchanged, inside another column.

    The key of a joined file has the values of the file's own column, so both are the id; and DuckDB ignores
    case.
    """

    def one_name(column: str) -> str:
        return join.one_name(column) if join else column.lower()

    personal = {
        one_name(column)
        for log in logs
        for name in LOGS[log.log].columns()
        if is_personal(LOGS[log.log], name)
        for column in log.columns_behind([name])
    }
    for log in logs:
        schema = LOGS[log.log]
        for name in schema.columns():
            leaked = [column for column in log.columns_behind([name]) if one_name(column) in personal]
            if leaked and not is_personal(schema, name):
                raise UsageError(
                    f"{key}.{log.log}.{name} reads {', '.join(sorted(leaked))}, which is a user id: only "
                    "user_id may, because it alone becomes a pseudonym. Make an id from the row number or "
                    "from other columns, and leave out a session that the shop doesn't know."
                )


def _constant(value: object, key: str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise UsageError(f"{key} must be a text, a number, true or false.")
