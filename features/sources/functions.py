"""The functions of a mapping's expressions: none of them reads anything but its arguments."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from features.sources.operands import Expression, Kind, Named, case, common_kind, compared, number_of

# pattern, path and whole are literals in the expression: a pattern is compiled once, and a length can't come
# from a line of the file.
Parameter = Literal["text", "number", "any", "pattern", "path", "whole"]

MANY = 100


@dataclass(frozen=True)
class Function:
    """One function: its parameters and its SQL.

    parameters: the last `n_optional` of them may be left out; with `repeats` the last one comes many times.
    made: arguments, each of its parameter's kind, to the result.
    """

    parameters: tuple[Parameter, ...]
    made: Callable[[Sequence[Expression]], Expression]
    n_optional: int = 0
    repeats: bool = False

    @property
    def n_least(self) -> int:
        """The smallest number of arguments."""
        return len(self.parameters) - self.n_optional

    @property
    def n_most(self) -> int:
        """The largest number of arguments."""
        return MANY if self.repeats else len(self.parameters)

    @property
    def counted(self) -> str:
        """The number of its arguments in words."""
        if self.repeats:
            return f"{self.n_least} arguments or more"
        return f"{self.n_least}{f' to {self.n_most}' if self.n_optional else ''} arguments"

    def parameters_of(self, n_arguments: int) -> tuple[Parameter, ...]:
        """Return the parameter of each of this many arguments."""
        n_more = max(n_arguments - len(self.parameters), 0)
        return (*self.parameters, *(self.parameters[-1:] * n_more))[:n_arguments]

    def __call__(self, arguments: Sequence[Expression]) -> Expression:
        """Return the call as an expression."""
        parameters = self.parameters_of(len(arguments))
        return self.made(
            [_taken(parameter, argument) for parameter, argument in zip(parameters, arguments, strict=True)]
        )


def _taken(parameter: Parameter, argument: Expression) -> Expression:
    match parameter:
        case "text" | "pattern" | "path":
            return argument.as_text()
        case "number":
            return argument.as_number()
        case "whole":
            return Expression(str(argument.literal), "number", frozenset())
        case "any":
            return argument


def _plain(name: str, kind: Kind = "text") -> Callable[[Sequence[Expression]], Expression]:
    """Return the maker of a call of a database function that never fails."""

    def made(arguments: Sequence[Expression]) -> Expression:
        sql = f"{name}({', '.join(argument.sql for argument in arguments)})"
        if kind == "number":
            return number_of(sql, *arguments)
        return Expression(sql, kind, frozenset[str]().union(*(argument.columns for argument in arguments)))

    return made


def _coalesced(arguments: Sequence[Expression]) -> Expression:
    kinds = {argument.kind for argument in arguments} - {"null"}
    kind: Kind = kinds.pop() if len(kinds) == 1 else "text"
    return Expression(
        f"coalesce({', '.join(argument.as_kind(kind).sql for argument in arguments)})",
        kind,
        frozenset[str]().union(*(argument.columns for argument in arguments)),
    )


def _null_if(arguments: Sequence[Expression]) -> Expression:
    value, hidden = arguments
    named = Named(value.as_kind(common_kind(value)) if value.kind == "null" else value)
    nothing = Expression("NULL", "null", frozenset())
    return named.within(case([(compared(named.reference, "=", hidden), nothing)], named.reference))


def _from_json(arguments: Sequence[Expression]) -> Expression:
    """Return the value at a path of a JSON text; null where the text is not JSON."""
    named, path = Named(arguments[0]), arguments[1]
    text = named.reference.sql
    sql = f"(CASE WHEN json_valid({text}) THEN json_extract_string({text}, {path.sql}) END)"
    return named.within(Expression(sql, "text", named.value.columns))


def _replaced(arguments: Sequence[Expression]) -> Expression:
    """Return the text with all matches of a pattern replaced, not only the first one as in SQL."""
    sql = ", ".join(argument.sql for argument in arguments)
    columns = frozenset[str]().union(*(argument.columns for argument in arguments))
    return Expression(f"regexp_replace({sql}, 'g')", "text", columns)


FUNCTIONS: dict[str, Function] = {
    "lower": Function(("text",), _plain("lower")),
    "upper": Function(("text",), _plain("upper")),
    "trim": Function(("text",), _plain("trim")),
    "left": Function(("text", "whole"), _plain("left")),
    "right": Function(("text", "whole"), _plain("right")),
    "substring": Function(("text", "whole", "whole"), _plain("substring"), n_optional=1),
    "replace": Function(("text", "text", "text"), _plain("replace")),
    "split_part": Function(("text", "text", "whole"), _plain("split_part")),
    "concat": Function(("text",), _plain("concat"), repeats=True),
    "coalesce": Function(("any",), _coalesced, repeats=True),
    "nullif": Function(("any", "any"), _null_if),
    "json_value": Function(("text", "path"), _from_json),
    "regexp_extract": Function(("text", "pattern", "whole"), _plain("regexp_extract"), n_optional=1),
    "regexp_replace": Function(("text", "pattern", "text"), _replaced),
    "regexp_matches": Function(("text", "pattern"), _plain("regexp_matches", "truth")),
    "contains": Function(("text", "text"), _plain("contains", "truth")),
    "starts_with": Function(("text", "text"), _plain("starts_with", "truth")),
    "ends_with": Function(("text", "text"), _plain("ends_with", "truth")),
    "length": Function(("text",), _plain("length", "number")),
    "abs": Function(("number",), _plain("abs", "number")),
    "round": Function(("number", "whole"), _plain("round", "number"), n_optional=1),
    "floor": Function(("number",), _plain("floor", "number")),
    "ceil": Function(("number",), _plain("ceil", "number")),
    "greatest": Function(("number",), _plain("greatest", "number"), repeats=True),
    "least": Function(("number",), _plain("least", "number"), repeats=True),
}
