"""The parts of a mapping's expression and how they combine, each part as SQL that can't fail on a line."""

from dataclasses import dataclass, replace
from typing import Literal

from features.contracts.sql_text import identifier, quoted

Kind = Literal["text", "number", "truth", "null"]

# Exact: cents made from a price never see binary fractions. Nine places hold a price per click in millionths.
DECIMAL = "DECIMAL(38, 9)"


@dataclass(frozen=True)
class Expression:
    """SQL over the columns of one line.

    kind: the type of its result; text where a column is read unchanged.
    columns: the file's columns that it reads.
    literal: the value where it is written out.
    """

    sql: str
    kind: Kind
    columns: frozenset[str]
    literal: str | int | None = None

    @classmethod
    def of_column(cls, name: str) -> "Expression":
        """Return the column unchanged."""
        return cls(identifier(name), "text", frozenset({name}))

    @classmethod
    def of_number(cls, digits: str) -> "Expression":
        """Return a number written out; at most 18 digits before the point and 9 after."""
        literal = int(digits) if digits.isdigit() else None
        return cls(f"CAST('{digits}' AS {DECIMAL})", "number", frozenset(), literal)

    def negated(self) -> "Expression":
        """Return its negation."""
        return replace(self, sql=f"(NOT {self.sql})", literal=None)

    def as_text(self) -> "Expression":
        """Return it as text; a number without trailing zeros."""
        match self.kind:
            case "number":
                # All numbers have nine places, so there is always a point to stop at.
                return replace(self, sql=f"rtrim(rtrim(CAST({self.sql} AS VARCHAR), '0'), '.')", kind="text")
            case "truth" | "null":
                return replace(self, sql=f"CAST({self.sql} AS VARCHAR)", kind="text")
            case "text":
                return self

    def as_number(self) -> "Expression":
        """Return it as a number; null where the text is not a number."""
        if self.kind == "number":
            return self
        return replace(self, sql=f"TRY_CAST({self.sql} AS {DECIMAL})", kind="number")

    def as_kind(self, kind: Kind) -> "Expression":
        """Return it as text or number; a condition stays one."""
        if kind == "number":
            return self.as_number()
        return self.as_text() if kind == "text" else self


NULL = Expression("NULL", "null", frozenset())


@dataclass(frozen=True)
class Named:
    """A value that an expression reads more than once.

    Written out each time, its SQL would double with each level of nesting; so a long one gets a name.
    """

    value: Expression

    @property
    def reference(self) -> Expression:
        """The value wherever it is read."""
        return replace(self.value, sql=self._name) if self._is_long else self.value

    def within(self, found: Expression) -> Expression:
        """Return an expression that reads the reference, with the value itself in it once."""
        if not self._is_long:
            return found
        # A lambda over a list of one is used like LET: SQL has no other way to name a part of an expression.
        sql = f"list_transform([{self.value.sql}], lambda {self._name}: {found.sql})[1]"
        return replace(found, sql=sql, columns=found.columns | self.value.columns)

    @property
    def _name(self) -> str:
        # what it contains is shorter, so that names inside of each other differ
        return identifier(f"value of {len(self.value.sql)} characters")

    @property
    def _is_long(self) -> bool:
        return len(self.value.sql) > _SHORT


_SHORT = 120


def text_literal(text: str) -> Expression:
    """Return a text written out."""
    return Expression(quoted(text), "text", frozenset(), text)


def number_of(sql: str, *parts: Expression) -> Expression:
    """Return a number with nine places from SQL over the parts; null where it is too large for that."""
    columns = frozenset[str]().union(*(part.columns for part in parts))
    return Expression(f"TRY_CAST(TRY({sql}) AS {DECIMAL})", "number", columns)


def arithmetic(left: Expression, sign: str, right: Expression) -> Expression:
    """Return left sign right; null where a side is not a number, or for division by zero."""
    left, right = left.as_number(), right.as_number()
    return number_of(f"({left.sql} {sign} {right.sql})", left, right)


def either(word: str, left: Expression, right: Expression) -> Expression:
    """Return the condition `left word right`."""
    return Expression(f"({left.sql} {word} {right.sql})", "truth", left.columns | right.columns)


def compared(left: Expression, sign: str, right: Expression) -> Expression:
    """Return a comparison of numbers where a side is one, else of texts by their code points."""
    kind = common_kind(left, right)
    return either(sign, left.as_kind(kind), right.as_kind(kind))


def case(branches: list[tuple[Expression, Expression]], otherwise: Expression) -> Expression:
    """Return the value of the first branch whose condition holds."""
    values = [value for _, value in branches] + [otherwise]
    kinds = {value.kind for value in values} - {"null"}
    kind: Kind = kinds.pop() if len(kinds) == 1 else "text"
    whens = " ".join(f"WHEN {when.sql} THEN {value.as_kind(kind).sql}" for when, value in branches)
    columns = frozenset[str]().union(
        *(when.columns | value.columns for when, value in branches), otherwise.columns
    )
    return Expression(f"(CASE {whens} ELSE {otherwise.as_kind(kind).sql} END)", kind, columns)


def common_kind(*operands: Expression) -> Kind:
    """Return number where any operand is one, else text."""
    return "number" if any(operand.kind == "number" for operand in operands) else "text"
