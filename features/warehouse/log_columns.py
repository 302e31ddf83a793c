"""One log's part of a query over the lines of a file: each mapped column as text, as value, and its rules."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from features.contracts.check import ColumnCheck, Rule, column_checks
from features.contracts.limits import DEFAULT_LIMITS, Limits
from features.contracts.logs import LOGS, ROW_RULES
from features.contracts.mapping import LogMapping
from features.contracts.sql_text import identifier
from features.warehouse.plausible_times import PlausibleTimes
from features.warehouse.reader import TEXT, Column
from features.warehouse.watermark import Watermark, late_rule

# Parquet types whose values need not be read as text, by the type of the contract.
_SAME_VALUES: Mapping[str, tuple[str, ...]] = {
    "BIGINT": ("BIGINT", "INTEGER", "SMALLINT", "TINYINT", "UINTEGER", "USMALLINT", "UTINYINT"),
    "DOUBLE": ("DOUBLE",),
    "BOOLEAN": ("BOOLEAN",),
    "DATE": ("DATE",),
    "TIMESTAMPTZ": ("TIMESTAMP WITH TIME ZONE",),
}
# The years that a time as text may have; beyond them lies `infinity`, too.
_YEARS = {
    "DATE": "BETWEEN DATE '0001-01-01' AND DATE '9999-12-31'",
    "TIMESTAMPTZ": "BETWEEN TIMESTAMPTZ '0001-01-01 00:00:00Z' AND TIMESTAMPTZ '9999-12-31 23:59:59.999999Z'",
}


@dataclass(frozen=True)
class LogColumns:
    """One log's part of a query over lines: for each column that is mapped, its text, value and rules.

    prefix: stands before the column names, so that one query can hold several logs.
    watermark, times: which days are closed, and which times a row may have at all.
    limits: of the length of texts.
    """

    mapping: LogMapping
    prefix: str
    watermark: Watermark | None
    times: PlausibleTimes
    limits: Limits = DEFAULT_LIMITS

    @property
    def checks(self) -> tuple[ColumnCheck, ...]:
        """The checks of the columns that are mapped; an unmapped one is null, and may be."""
        return tuple(
            check
            for check in column_checks(LOGS[self.mapping.log], self.prefix, self.limits)
            if check.column in self.mapping.columns
        )

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules for a row of the log, in the order in which they are checked."""
        checks = self.checks
        typed = {check.column: check.typed for check in checks}
        by_row = [
            rule.in_sql(typed) for rule in ROW_RULES.get(self.mapping.log, ()) if rule.columns <= typed.keys()
        ]
        late = late_rule(self.mapping.log, self.watermark, typed) if self.watermark else None
        by_column = [rule for check in checks for rule in check.rules]
        timely = self.times.rules(self.mapping.log, typed)
        return (*by_column, *by_row, *timely, *((late,) if late else ()))

    @property
    def belongs(self) -> str:
        """Name of the column that says whether the line is a row of the log."""
        return identifier(f"{self.prefix}belongs")

    @property
    def is_broken(self) -> str:
        """SQL condition for a row of the log that breaks a rule; null where that is unknown."""
        broken = " OR ".join(rule.broken for rule in self.rules if not rule.is_closer)
        return f"({self.belongs} AND ({broken}))"

    def only_names(self, columns: Iterable[str]) -> bool:
        """Return whether the log uses columns of the file without any expression."""
        names = list(columns)
        return all(any(_names(mapped, name) for name in names) for mapped in self.mapping.columns.values())

    def texts(self, natives: Mapping[str, Column]) -> str:
        """Return the select list of the columns' text, from the file's columns.

        natives: columns of the file that are more than text.
        """
        texts = ((check, _native(self.mapping, check, natives) or self._text(check)) for check in self.checks)
        listed = [f"{text} AS {check.text}" for check, text in texts]
        return ", ".join([*listed, f"({self.mapping.where or 'true'}) AS {self.belongs}"])

    def values(self, natives: Mapping[str, Column]) -> str:
        """Return the select list of the columns' typed values, from their texts."""
        return ", ".join(
            f"{_cast(check) if _native(self.mapping, check, natives) else check.value} AS {check.typed}"
            for check in self.checks
        )

    def _text(self, check: ColumnCheck) -> str:
        return f"CAST(({self.mapping.columns[check.column]}) AS {TEXT})"


def stored_name(name: str, column: Column) -> str:
    """Return the name of the column in its own type."""
    return identifier(name if column.sql_type == TEXT else f"{name} as stored")


def _names(expression: str, column: str) -> bool:
    return expression == identifier(column) or expression.lower() == column.lower()


def _native(mapping: LogMapping, check: ColumnCheck, natives: Mapping[str, Column]) -> str | None:
    """Return the file's column whose values are those of the contract's column as they are, if one is."""
    mapped = mapping.columns[check.column]
    for name, column in natives.items():
        if _names(mapped, name) and column.sql_type in _SAME_VALUES.get(check.sql_type, ()):
            return stored_name(name, column)
    return None


def _cast(check: ColumnCheck) -> str:
    """Return the value of a native column, null beyond the years that a time as text may have."""
    value = f"CAST({check.text} AS {check.sql_type})"
    years = _YEARS.get(check.sql_type)
    return f"CASE WHEN {value} {years} THEN {value} END" if years else value
