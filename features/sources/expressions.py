"""The expressions of a shop's mapping: a small part of SQL, parsed here and written again as SQL.

    expression  and, or, not over conditions
    condition   value = <> != < <= > >= value; value [not] in (...), [not] like, [not] between .. and ..,
                is [not] null
    value       column, "column", 'text', number, true, false, null, value || value, + - * /, function(...),
                case [value] when .. then .. [else ..] end

There are no subqueries, casts, or functions besides features.sources.functions, so an expression reads the
columns of its own line and nothing else: no file, no setting, no other table. The SQL for the database is
made only of parsed parts; no character of the given text gets there unchecked.

Columns are text. Arithmetic, and a comparison with a number on either side, read text as an exact decimal
with nine places; text that is not a number makes the result null.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from features.errors import UsageError
from features.sources.functions import FUNCTIONS, Parameter
from features.sources.operands import (
    NULL,
    Expression,
    Named,
    arithmetic,
    case,
    compared,
    either,
    text_literal,
)

MAX_CHARACTERS = 4000
MAX_DEPTH = 40
# The database itself reads no more than 1,000 expressions around each other; a contract's check adds some.
MAX_PARTS_AROUND = 250
# Column names for quotes: "end".
WORDS = frozenset(
    {"and", "or", "not", "in", "like", "between", "is", "null", "true", "false"}
    | {"case", "when", "then", "else", "end"}
)

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>\d+(?:\.\d+)?)
      | (?P<text>'(?:[^']|'')*')
      | (?P<column>"(?:[^"]|"")+")
      | (?P<word>[^\W\d]\w*)
      | (?P<sign>\|\||<>|!=|<=|>=|[-+*/=<>(),])
    )""",
    re.VERBOSE,
)
_COMPARISONS = {"=": "=", "<>": "<>", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    position: int


def parse_expression(
    text: str, key: str, column: Callable[[str], Expression] = Expression.of_column
) -> Expression:
    """Return the expression as SQL that only reads columns of its own line.

    key: what a message calls the place, e.g. `files[1].events.expressions.item_id`.
    column: name → the SQL of that column.
    Raises UsageError where the text is not in the language above.

    >>> parse_expression("shop || ':' || sku", "item_id").sql
    '(("shop" || \\':\\') || "sku")'
    >>> sorted(parse_expression("price * 2 > 10 and kind in ('a', 'b')", "where").columns)
    ['kind', 'price']
    """
    return _Parser(text, key, column).whole()


def parse_condition(
    text: str, key: str, column: Callable[[str], Expression] = Expression.of_column
) -> Expression:
    """Return an expression that is true or false.

    Raises UsageError where it is not a condition.
    """
    expression = parse_expression(text, key, column)
    if expression.kind != "truth":
        raise UsageError(f"{key} must be a condition, as in event = 'view'.")
    return expression


class _Parser:
    """Recursive descent, one method per level of precedence, the loosest first."""

    def __init__(self, text: str, key: str, column: Callable[[str], Expression]) -> None:
        self.text, self.key, self.column = text, key, column
        self.tokens = self._tokens()
        self.next = 0
        self.depth = 0

    def whole(self) -> Expression:
        found = self.any_of()
        if self.token.kind != "end":
            self.refuse(f"{self.token.text} is not expected here")
        if _parts_around(found.sql) > MAX_PARTS_AROUND:
            raise UsageError(
                f"{self.key} has too many parts inside of each other, or behind one another. Shorten it, or "
                "add the value to the file where it is exported."
            )
        return found

    @property
    def token(self) -> _Token:
        return self.tokens[self.next]

    def refuse(self, what: str) -> NoReturn:
        raise UsageError(
            f"{self.key}: {what}, at character {self.token.position + 1} of {self.text!r}. An expression "
            "reads columns of its line by the operators and functions that features/README.md lists."
        )

    def _tokens(self) -> list[_Token]:
        if len(self.text) > MAX_CHARACTERS:
            raise UsageError(f"{self.key} is longer than {MAX_CHARACTERS} characters.")
        tokens, position = [], 0
        text = self.text.rstrip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                self.tokens, self.next = [_Token("end", "", position)], 0
                self.refuse(f"{text[position:].lstrip()[:1]!r} has no meaning here")
            assert match.lastgroup is not None
            tokens.append(_Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
            position = match.end()
        return [*tokens, _Token("end", "the end", len(text))]

    def take(self, *texts: str) -> str | None:
        """Skip the next token if it is one of these words or signs, and return it."""
        said = self.token.text.lower()
        if self.token.kind in {"word", "sign"} and said in texts:
            self.next += 1
            return said
        return None

    def demand(self, text: str) -> None:
        if not self.take(text):
            self.refuse(f"{text} is expected, not {self.token.text}")

    def truth(self, found: Expression) -> Expression:
        if found.kind != "truth":
            self.refuse("a condition is expected here")
        return found

    def any_of(self) -> Expression:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.refuse(f"it is nested more than {MAX_DEPTH} deep")
        found = self.joined("or", lambda: self.joined("and", self.negated))
        self.depth -= 1
        return found

    def joined(self, word: str, part: Callable[[], Expression]) -> Expression:
        found = part()
        while self.take(word):
            left, right = self.truth(found), self.truth(part())
            found = Expression(
                f"({left.sql} {word.upper()} {right.sql})", "truth", left.columns | right.columns
            )
        return found

    def negated(self) -> Expression:
        n_nots = 0
        while self.take("not"):
            n_nots += 1
        found = self.predicate()
        return self.truth(found).negated() if n_nots % 2 else self.truth(found) if n_nots else found

    def predicate(self) -> Expression:
        left = self.linked()
        if sign := self.take(*_COMPARISONS):
            return self.compare(left, _COMPARISONS[sign], self.linked())
        if self.take("is"):
            is_not = self.take("not")
            self.demand("null")
            found = Expression(f"({left.sql} IS NULL)", "truth", left.columns)
            return found.negated() if is_not else found
        is_not = self.take("not")
        named = Named(left)
        if self.take("in"):
            found = named.within(self.among(named.reference))
        elif self.take("like"):
            pattern = self.linked()
            found = either("LIKE", left.as_text(), pattern.as_text())
        elif self.take("between"):
            lower = self.linked()
            self.demand("and")
            at_least = self.compare(named.reference, ">=", lower)
            found = named.within(either("AND", at_least, self.compare(named.reference, "<=", self.linked())))
        elif is_not:
            self.refuse("in, like or between is expected after not")
        else:
            return left
        return found.negated() if is_not else found

    def compare(self, left: Expression, sign: str, right: Expression) -> Expression:
        if "truth" in {left.kind, right.kind}:
            self.refuse("a condition is true or false by itself and can't be compared")
        return compared(left, sign, right)

    def among(self, left: Expression) -> Expression:
        self.demand("(")
        found = self.compare(left, "=", self.linked())
        while self.take(","):
            found = either("OR", found, self.compare(left, "=", self.linked()))
        self.demand(")")
        return found

    def linked(self) -> Expression:
        found = self.summed()
        while self.take("||"):
            left, right = found.as_text(), self.summed().as_text()
            found = Expression(f"({left.sql} || {right.sql})", "text", left.columns | right.columns)
        return found

    def summed(self) -> Expression:
        found = self.multiplied()
        while sign := self.take("+", "-"):
            found = arithmetic(found, sign, self.multiplied())
        return found

    def multiplied(self) -> Expression:
        found = self.signed()
        while sign := self.take("*", "/"):
            found = arithmetic(found, sign, self.signed())
        return found

    def signed(self) -> Expression:
        n_minuses = 0
        while self.take("-"):
            n_minuses += 1
        found = self.atom()
        return arithmetic(Expression.of_number("0"), "-", found) if n_minuses % 2 else found

    def atom(self) -> Expression:
        if self.take("("):
            found = self.any_of()
            self.demand(")")
            return found
        if self.take("case"):
            return self.case()
        if self.take("null"):
            return NULL
        if word := self.take("true", "false"):
            return Expression(word, "truth", frozenset())
        token = self.token
        if token.kind in {"end", "sign"} or (token.kind == "word" and token.text.lower() in WORDS):
            self.refuse(f"a value is expected, not {token.text}")
        self.next += 1
        return self.named(token) if token.kind in {"word", "column"} else self.written_out(token)

    def named(self, token: _Token) -> Expression:
        if token.kind == "column":
            return self.column(token.text[1:-1].replace('""', '"'))
        return self.call(token) if self.take("(") else self.column(token.text)

    def written_out(self, token: _Token) -> Expression:
        if token.kind == "text":
            return text_literal(token.text[1:-1].replace("''", "'"))
        whole, _, places = token.text.partition(".")
        if len(whole) > 18 or len(places) > 9:
            self.refuse(f"{token.text} has more than 18 digits, or more than 9 places")
        return Expression.of_number(token.text)

    def call(self, token: _Token) -> Expression:
        function = FUNCTIONS.get(token.text.lower())
        if function is None:
            self.next -= 1
            known = ", ".join(sorted(FUNCTIONS))
            self.refuse(f"{token.text} is not a function of this language; it has {known}")
        arguments = [] if self.take(")") else self.arguments()
        if not function.n_least <= len(arguments) <= function.n_most:
            self.refuse(f"{token.text} takes {function.counted}, not {len(arguments)}")
        for parameter, argument in zip(function.parameters_of(len(arguments)), arguments, strict=True):
            if fault := _unfit(parameter, argument):
                self.refuse(f"{token.text} {fault}")
        return function(arguments)

    def arguments(self) -> list[Expression]:
        found = [self.any_of()]
        while self.take(","):
            found.append(self.any_of())
        self.demand(")")
        return found

    def case(self) -> Expression:
        self.depth += 1
        named = None if self.token.text.lower() == "when" else Named(self.any_of())
        branches = []
        while self.take("when"):
            tested = self.any_of()
            when = self.compare(named.reference, "=", tested) if named else self.truth(tested)
            self.demand("then")
            branches.append((when, self.any_of()))
        if not branches:
            self.refuse("when is expected after case")
        otherwise = self.any_of() if self.take("else") else NULL
        self.demand("end")
        self.depth -= 1
        found = case(branches, otherwise)
        return named.within(found) if named else found


def _parts_around(sql: str) -> int:
    """Return the largest number of parentheses around a part of the SQL."""
    deepest = depth = 0
    for sign in re.sub(r"'[^']*'|\"[^\"]*\"", "", sql):
        depth += (sign == "(") - (sign == ")")
        deepest = max(deepest, depth)
    return deepest


def _unfit(parameter: Parameter, argument: Expression) -> str | None:
    """Return the error of an argument, or nothing."""
    match parameter:
        case "pattern" if not isinstance(argument.literal, str):
            return "takes its pattern as a text in quotes"
        case "path" if not re.fullmatch(r"\$(\.[^\W\d]\w*|\[\d+\])+", str(argument.literal)):
            return "takes its path as a text like '$.price' or '$.lines[0].price'"
        case "whole" if not (isinstance(argument.literal, int) and argument.literal <= 1000):
            return "takes a whole number up to 1000, written out"
    return None
