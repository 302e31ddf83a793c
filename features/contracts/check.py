"""One contract, two checks: SQL rules for logs that arrive as text, dataframely for tables that go out.

Both are derived from the columns in columns.py, so a range is written down once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import dataframely as dy
import polars as pl

from features.contracts import refusal_marks
from features.contracts.finding_sql import finding_sql
from features.contracts.findings import Finding, Number
from features.contracts.limits import DEFAULT_LIMITS, Limits
from features.contracts.plain_text import plain_json_sql, plain_text_sql
from features.contracts.refusal_marks import has_mark, unmarked
from features.contracts.value_shape import shape_sql
from features.errors import MetacartError

# An offset is required because a naive time would be read in the zone of whichever machine loads it.
ZONED_TIME = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)? ?(Z|UTC|[+-](0\d|1[0-4])(:?[0-5]\d)?)$"
PLAIN_DAY = r"^\d{4}-\d\d-\d\d$"
_FAR = 1000


@dataclass(frozen=True)
class Rule:
    """One thing that a value must be.

    code: of a line that breaks it, one of `quality_codes.REJECTIONS`. column: which it is about.
    broken: SQL condition over `ColumnCheck.text` and `.typed`, true where the rule is broken.
    numbers: of the code, those that every broken line shares. found: name → SQL expression over the same
    columns, of those that are the line's own; no text of the line is among them.
    is_closer: it names more closely what a later rule finds too, so it need not be asked to find the line.
    """

    code: str
    column: str
    broken: str
    numbers: Mapping[str, Number] = field(default_factory=dict)
    found: Mapping[str, str] = field(default_factory=dict)
    is_closer: bool = False

    @property
    def finding(self) -> Finding:
        """The rule by itself: the finding about a line that breaks it, without what is the line's own."""
        return Finding(self.code, self.column, self.numbers)

    @property
    def reason(self) -> str:
        """SQL expression for the finding about one broken line, as JSON."""
        return finding_sql(self.code, self.column, self.numbers, **self.found)


@dataclass(frozen=True)
class ColumnCheck:
    """How the text of one column becomes a typed value, and what that value must be.

    Text and value are columns of one query, so that a text is cast once however many rules ask for it:
    `SELECT *, value AS typed FROM (SELECT ... AS text)`, and the rules over that.

    text, typed: SQL identifiers of the two columns.
    value: SQL expression over `text`; null where the text is no such value.
    rules: in the order in which they are checked; each assumes that those before it hold.
    """

    column: str
    sql_type: str
    text: str
    typed: str
    value: str
    rules: tuple[Rule, ...]


@cache
def column_checks(
    schema: type[dy.Schema], prefix: str = "", limits: Limits = DEFAULT_LIMITS
) -> tuple[ColumnCheck, ...]:
    """Derive the SQL checks of a log contract, in the contract's column order.

    prefix: put before the names of the two columns, so that one query can hold several logs.
    limits: of the length of texts.
    Raises TypeError for a kind of column, or a limit on one, that has no translation to SQL yet.

    >>> from features.contracts.recommendation import Impressions
    >>> propensity = next(c for c in column_checks(Impressions) if c.column == "propensity")
    >>> propensity.rules[-1].finding
    Finding(code='outside_bounds', subject='propensity', numbers={'above': 1e-12, 'at_most': 1}, because=())
    >>> propensity.rules[-1].broken
    'NOT (isfinite("propensity typed") AND "propensity typed" > 1e-12 AND "propensity typed" <= 1)'
    """
    return tuple(_column_check(name, column, prefix, limits) for name, column in schema.columns().items())


def is_personal(schema: type[dy.Schema], column: str) -> bool:
    """Say whether a column of the contract may identify a person."""
    return bool((schema.columns()[column].metadata or {}).get("personal"))


def check_output(frame: pl.DataFrame, schema: type[dy.Schema]) -> pl.DataFrame:
    """Return the frame with the contract's columns, order and types.

    Raises MetacartError, one sentence per broken rule, when the frame breaks the contract.
    """
    missing = [name for name in schema.column_names() if name not in frame.columns]
    if missing:
        raise MetacartError(
            f"{schema.__name__} lacks the columns {', '.join(missing)}; it has {', '.join(frame.columns)}."
        )
    good, failure = schema.filter(frame, cast=True)
    counts = failure.counts()
    if counts:
        broken = " ".join(f"{_rule_sentence(rule)} in {n_rows} rows." for rule, n_rows in counts.items())
        raise MetacartError(f"{schema.__name__} breaks its contract. {broken}")
    return good.select(schema.column_names())


def _rule_sentence(rule: str) -> str:
    column, separator, kind = rule.partition("|")
    return f"Rule {kind} of {column} fails" if separator else f"Rule {rule} fails"


def _column_check(name: str, column: dy.Column, prefix: str, limits: Limits) -> ColumnCheck:
    text, typed = f'"{prefix}{name}"', f'"{prefix}{name} typed"'
    sql_type, value, kind = _typed(text, column)
    rules = []
    if not column.nullable:
        rules.append(Rule("value_missing", name, f"{text} IS NULL"))
    if isinstance(column, dy.String):
        # before the shape of a long text is looked at
        rules.append(_length_rule(name, column, typed, limits))
    shape = shape_sql(unmarked(text))
    if kind:
        rules += [
            Rule(code, name, has_mark(text, code), found=shape, is_closer=True) for code in _marks_of(column)
        ]
        rules.append(Rule(kind.code, name, f"{text} IS NOT NULL AND {typed} IS NULL", kind.numbers, shape))
    for limit in _limits(typed, column):
        rules.append(Rule(limit.code, name, limit.broken, limit.numbers, shape if limit.has_shape else {}))
    return ColumnCheck(name, sql_type, text, typed, value, tuple(rules))


def _length_rule(name: str, column: dy.String, typed: str, limits: Limits) -> Rule:
    is_json = (column.metadata or {}).get("free_text") == "json"
    most = limits.max_json_characters if is_json else limits.max_text_characters
    length = f"length({typed})"
    return Rule("text_too_long", name, f"{length} > {most}", {"most": most}, {"characters": length})


def _marks_of(column: dy.Column) -> tuple[str, ...]:
    """Return the codes by which a mapping may refuse a value of the column."""
    match column:
        case dy.Datetime():
            return refusal_marks.OF_TIMES
        case dy.Int64() | dy.Float64():
            return refusal_marks.OF_NUMBERS
        case dy.Bool():
            return refusal_marks.OF_FLAGS
        case _:
            return ()


@dataclass(frozen=True)
class _Limit:
    """What breaks a limit of a column's values: its code with the numbers, and the SQL condition.

    has_shape: whether the code carries the shape of the value.
    """

    code: str
    numbers: Mapping[str, Number] = field(default_factory=dict)
    broken: str = ""
    has_shape: bool = True


def _typed(text: str, column: dy.Column) -> tuple[str, str, _Limit | None]:
    """Return the stored type, the SQL cast from text, and what a text is for which the cast does not hold."""
    number = f"TRY_CAST({text} AS DOUBLE)"
    whole = f"TRY_CAST({text} AS BIGINT)"
    kind: _Limit | None
    match column:
        case dy.String():
            sql_type, value, kind = "VARCHAR", _stored_text(text, column), None
        case dy.Enum():
            names = ", ".join(f"'{category}'" for category in column.categories)
            sql_type, value = "VARCHAR", f"CASE WHEN {text} IN ({names}) THEN {text} END"
            kind = _Limit("not_one_of", {"words": ", ".join(column.categories)})
        case dy.Int64():
            # TRY_CAST alone would round 1.7 to 2 and read 0x10.
            sql_type, value = "BIGINT", f"CASE WHEN {whole} = {number} THEN {whole} END"
            kind = _Limit("not_a_whole_number")
        case dy.Float64():
            sql_type, value, kind = "DOUBLE", number, _Limit("not_a_number")
        case dy.Bool():
            words = ("'true' THEN true", "'1' THEN true", "'false' THEN false", "'0' THEN false")
            sql_type, value = "BOOLEAN", f"CASE lower({text}) WHEN {' WHEN '.join(words)} END"
            kind = _Limit("not_a_flag")
        case dy.Datetime():
            sql_type, value = "TIMESTAMPTZ", _cast_where(text, ZONED_TIME, "TIMESTAMPTZ")
            kind = _Limit("not_a_time")
        case dy.Date():
            sql_type, value = "DATE", _cast_where(text, PLAIN_DAY, "DATE")
            kind = _Limit("not_a_day")
        case _:
            raise TypeError(f"A {type(column).__name__} column of a log has no SQL check yet.")
    return sql_type, value, kind


def _stored_text(text: str, column: dy.String) -> str:
    metadata = column.metadata or {}
    if metadata.get("personal"):
        # a user id is only hashed: changed, it would be another person's
        return text
    return plain_json_sql(text) if metadata.get("free_text") == "json" else plain_text_sql(text)


def _cast_where(text: str, pattern: str, sql_type: str) -> str:
    return f"CASE WHEN regexp_matches({text}, '{pattern}') THEN TRY_CAST({text} AS {sql_type}) END"


def _limits(value: str, column: dy.Column) -> list[_Limit]:
    """Return what breaks the limits of a value beyond its type."""
    if column.check is not None:
        raise TypeError("A column of a log can't carry a polars check: it has no SQL form.")
    match column:
        case dy.String():
            return _text_limits(value, column)
        case dy.Int64() | dy.Float64():
            return _number_limits(value, column)
        case _:
            return []


def _text_limits(value: str, column: dy.String) -> list[_Limit]:
    if column.max_length is not None:
        raise TypeError("A text column of a log can't limit its length yet.")
    limits = []
    if column.min_length:
        limits.append(_Limit("empty_text", broken=f"length({value}) < {column.min_length}", has_shape=False))
    if column.regex:
        form = {"form": column.regex}
        limits.append(_Limit("not_of_form", form, f"NOT regexp_matches({value}, '{column.regex}')"))
    return limits


def _number_limits(value: str, column: dy.Int64 | dy.Float64) -> list[_Limit]:
    bounds = (
        ("above", ">", column.min_exclusive),
        ("at_least", ">=", column.min),
        ("below", "<", column.max_exclusive),
        ("at_most", "<=", column.max),
    )
    # A limit that only keeps sums within 64 bits would make the sentence about the other one hard to read.
    far = [
        _Limit("outside_bounds", {name: bound}, f"NOT ({value} {sign} {bound})")
        for name, sign, bound in bounds
        if bound is not None and abs(bound) >= _FAR
    ]
    near = [(name, sign, bound) for name, sign, bound in bounds if bound is not None and abs(bound) < _FAR]
    holds = [f"{value} {sign} {bound}" for _, sign, bound in near]
    if isinstance(column, dy.Float64):
        # DuckDB reads `nan`, `inf` and `1e999` as numbers, and holds NaN to be above every other.
        holds.insert(0, f"isfinite({value})")
    if not holds:
        return far
    code = "outside_bounds" if near else "not_finite"
    return [_Limit(code, {name: bound for name, _, bound in near}, f"NOT ({' AND '.join(holds)})"), *far]
