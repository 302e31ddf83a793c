"""The lines of a drafted log of purchases: order and line, price, cancellation."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from features.sources.draft import Line, blank, comment, operand, read_line, toml_text
from features.sources.draft_known import (
    ROW_NUMBER,
    Drafted,
    absent,
    example,
    flag_line,
    may_repeat,
    own_id,
    unit,
)
from features.sources.headings import heading_currency
from features.sources.number_forms import SIGN_CURRENCIES
from features.sources.sample import Column

# Among this many orders one would have several lines, if any had.
_SURE = 100


def order_id(_name: str, column: Column | None, known: Drafted) -> Iterator[Line]:
    """Yield the id of an order; a row number only with a question, a blank where it would be a guess."""
    roles = known.roles
    if column is not None:
        yield read_line("order_id", column)
    elif "event_id" in roles or own_id(known) is not None:
        own = roles.get("event_id") or own_id(known)
        assert own is not None
        said = "no order found: each line with its own id is an order"
        yield replace(read_line("order_id", own, said), kind="assumed")
    elif _is_named_by_visit(known):
        parts = f"[{toml_text(roles['session'].name)}, {toml_text(roles['time'].name)}]"
        yield Line(
            "ids.order_id",
            parts,
            "no order found; purchases of a visit at the same time are one order",
            "assumed",
        )
    elif _is_each_line_an_order(known):
        said = "no order found: is each purchase an order, and does none come twice? Else name columns"
        yield Line("ids.order_id", ROW_NUMBER, said, "assumed")
    else:
        yield blank(
            "ids.order_id",
            'no order found: the columns that together name one, as in ["visit", "at"], or "row number" if '
            "every line is a separate order and none comes twice",
        )


def line_number(_name: str, column: Column | None, known: Drafted) -> Iterator[Line]:
    """Yield the line of the order: its column, one for all where that is sure, or the line of the file."""
    roles = known.roles
    order = roles.get("order") or roles.get("event_id") or own_id(known)
    if column is not None and column is not order:
        yield read_line("line", column)
    elif known.elements:
        yield Line("ids.line", ROW_NUMBER, "the number of the element in its list")
    elif (
        order is not None
        and order.is_unique
        and (order is not roles.get("order") or len(order.values) >= _SURE)
    ):
        yield Line(
            "constants.line", "1", "each order read here has one line; with several, name a column", "assumed"
        )
    elif order is None and _is_each_line_an_order(known):
        yield Line("ids.line", ROW_NUMBER, "the line of the file, as in order_id")
    else:
        # The contract has a number here, so other columns can't be named in its place.
        then = "If so, name the column that numbers the lines of an order, or export each order once"
        said = f"no line number found. {may_repeat(known)} {then}"
        yield Line("ids.line", ROW_NUMBER, said, "assumed")


def _is_each_line_an_order(known: Drafted) -> bool:
    """Return whether `order_id` is drafted by the row number, which asks there whether a line comes twice."""
    roles = known.roles
    has_name = bool(roles.keys() & {"order", "event_id"}) or own_id(known) is not None
    return "event" in roles and not (has_name or _is_named_by_visit(known) or known.sample.n_repeated)


def _is_named_by_visit(known: Drafted) -> bool:
    roles = known.roles
    return {"session", "time"} <= roles.keys() and not (roles["session"].path or roles["time"].path)


def is_cancelled(_name: str, column: Column | None, known: Drafted) -> Iterator[Line]:
    """Yield the mark of a cancelled line: a column, or the minus of a return."""
    quantity = known.roles.get("quantity")
    if column is None and quantity is not None and _has_minus(quantity):
        yield Line("expressions.is_cancelled", toml_text(f"{operand(quantity)} < 0"), "a return has a minus")
    elif column is None:
        yield from absent("is_cancelled", known)
    elif _on_first_line_only(column, known):
        said = f"{comment(column.label)} is only on the first line of an order, and not on its other lines"
        yield blank("constants.is_cancelled", f"{said}; repeat it on each line of the export, or false")
    else:
        yield flag_line("is_cancelled", column)


def is_returned(_name: str, column: Column | None, known: Drafted) -> Iterator[Line]:
    """Yield the mark of a return: a column, or the minus of its pieces."""
    quantity = known.roles.get("quantity")
    if column is not None:
        yield flag_line("is_returned", column)
    elif quantity is not None and _has_minus(quantity):
        yield Line(
            "expressions.is_returned", toml_text(f"{operand(quantity)} < 0"), "and takes its reward back"
        )


def _on_first_line_only(column: Column, known: Drafted) -> bool:
    return "order" in known.roles and known.sample.stands_on_first_line_only(column, known.roles["order"])


def quantity(_name: str, column: Column | None, known: Drafted) -> Iterator[Line]:
    """Yield the pieces, without the minus that marks a return."""
    if column is None:
        yield from absent("quantity", known)
    elif _has_minus(column):
        yield Line("expressions.quantity", toml_text(f"abs({operand(column)})"), "a minus marks a return")
    else:
        yield read_line("quantity", column, example(column, "quantity"))


def _has_minus(column: Column) -> bool:
    return any(value.startswith("-") for value in column.values)


def price_of_total(known: Drafted) -> Iterator[Line]:
    """Yield a question whether an amount is of a piece or of the whole line, where that matters."""
    total, quantity = known.roles.get("total"), known.roles.get("quantity")
    if total is None:
        yield from absent("price_cents", known)
    elif quantity is None or quantity.all_match(r"1([.,]0+)?"):
        yield read_line("price_cents", total, example(total, "total"))
        yield from unit("price_cents", total, known)
    else:
        name, pieces = operand(total), operand(quantity)
        said = f"the price of one piece: {name}, or {name} / {pieces} if it is of the whole line"
        yield blank("expressions.price_cents", said)
        yield Line("units.price_cents", '"currency"')


def currency_code(_name: str, column: Column | None, known: Drafted) -> Iterator[Line]:
    """Yield the currency: found, assumed with a remark, or a blank."""
    code = currency_of(known.roles)
    if column is not None and not (code and _on_first_line_only(column, known)):
        yield read_line("currency_code", column)
    elif known.log == "items" and "price" not in known.roles:
        return
    elif code:
        yield Line("constants.currency_code", toml_text(code), "from a column, a heading or a sign")
    elif sign := _sign(known.roles):
        if sign == "$":
            yield Line(
                "constants.currency_code", '"USD"', "the sign $ may also mean other dollars", "assumed"
            )
        else:
            yield blank("constants.currency_code", f"the amounts have the sign {sign}: of which currency?")
    elif any(re.search("[\u4e00-\u9fff]", column.name) for column in known.roles.values()):
        yield Line(
            "constants.currency_code",
            '"CNY"',
            "no currency found, and Chinese headings; check the currency",
            "assumed",
        )
    else:
        yield Line("constants.currency_code", '"EUR"', "no currency found; check the currency", "assumed")


def currency_of(roles: Mapping[str, Column]) -> str | None:
    """Return the currency that a column of it, headings or signs of amounts name, if they name one."""
    if "currency" in roles:
        named = set(roles["currency"].values)
        return named.pop() if len(named) == 1 else None
    codes = {code for column in _amounts(roles) if (code := heading_currency(column.name))}
    sign = _sign(roles)
    codes |= {SIGN_CURRENCIES.get(sign, sign if re.fullmatch("[A-Z]{3}", sign) else "")} - {""}
    return codes.pop() if len(codes) == 1 else None


def _amounts(roles: Mapping[str, Column]) -> list[Column]:
    return [column for role, column in roles.items() if role in {"price", "total", "cost", "revenue"}]


def _sign(roles: Mapping[str, Column]) -> str:
    """Return the sign of the currency that all amounts with a sign have; empty for none."""
    signs = {form.currency_sign for column in _amounts(roles) for form in column.number_forms[:1]} - {""}
    return signs.pop() if len(signs) == 1 else ""
