"""Guesses of the roles of an unknown file's columns, by their headings and the form of their values."""

import re
from collections.abc import Callable, Iterable, Mapping

from features.sources.headings import (
    WORDS_OF_ROLES,
    heading_is_personal,
    heading_rank,
    is_telling,
    plain_heading,
)
from features.sources.sample import Column

EVENT_WORDS = {
    "view": {
        *(
            "view",
            "views",
            "viewed",
            "pageview",
            "page_view",
            "detail",
            "product_view",
            "view_item",
            "pv",
            "seen",
        ),
        *("product viewed", "viewcontent", "view_content", "ansicht", "vue", "vista", "浏览"),
    },
    "click": {"click", "clicks", "clicked", "select_item", "product clicked", "klick", "clic", "点击"},
    "add_to_cart": {
        *(
            "cart",
            "carts",
            "addtocart",
            "add_to_cart",
            "add-to-cart",
            "basket",
            "product added",
            "add to cart",
        ),
        *("warenkorb", "ajout_panier", "carrito", "加购", "加入购物车"),
    },
    "remove_from_cart": {
        *("remove_from_cart", "removefromcart", "remove-from-cart", "product removed", "remove from cart"),
    },
}
PURCHASE_WORDS = {
    *(
        "purchase",
        "purchases",
        "purchased",
        "transaction",
        "order",
        "orders",
        "ordered",
        "buy",
        "bought",
        "sale",
        "sales",
        "transactions",
        "invoice",
        "invoices",
        "receipt",
        "receipts",
    ),
    *("order completed", "checkout_completed", "kauf", "bestellung", "achat", "compra", "购买", "下单"),
}
ALL_EVENT_WORDS = PURCHASE_WORDS.union(*EVENT_WORDS.values())

CANCELLED_WORDS = {
    *("cancelled", "canceled", "cancel", "refunded", "voided", "returned", "wc-cancelled", "wc-refunded"),
    *(
        "storniert",
        "storno",
        "abgebrochen",
        "annulé",
        "annulée",
        "remboursé",
        "cancelado",
        "anulado",
        "reembolsado",
    ),
    *("交易关闭", "已取消", "已关闭", "已退款", "退款成功"),
}

_EMAIL = r"[^@\s]+@[^@\s]+\.[a-zA-Z]{2,}"
_PHONE = r"\+?\d[\d ()/-]{7,}\d"
_IP_ADDRESS = r"\d{1,3}(\.\d{1,3}){3}"
_CLOCK = r"\d{1,2}:\d\d(:\d\d)?( ?[AaPp][Mm])?"


def _may_be_time(column: Column) -> bool:
    """Return whether the values are times, or look like times in an unknown format."""
    if column.time_form is not None:
        return True
    return column.all_match(r"\d{10}|\d{13}|\d{16}") or column.all_match(
        r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}([ T].*)?|\d{5}([.,]\d+)?"
    )


def _is_status(column: Column) -> bool:
    return column.is_flag or column.time_form is not None or bool(column.words)


# The conditions on the values of a role; a role that is not here may have any values.
FITS: Mapping[str, Callable[[Column], bool]] = {
    "event": lambda column: bool(column.words & ALL_EVENT_WORDS),
    "signup": lambda column: column.time_form is not None,
    "time": _may_be_time,
    "clock": lambda column: column.all_match(_CLOCK),
    "cancelled": _is_status,
    "line": lambda column: column.is_whole,
    "slot": lambda column: column.is_whole,
    "propensity": lambda column: column.is_number,
    "quantity": lambda column: column.is_number,
    "n_impressions": lambda column: column.is_whole,
    "click": lambda column: column.is_whole or column.is_flag,
    "conversions": lambda column: column.is_number,
    "cost": lambda column: column.is_number,
    "revenue": lambda column: column.is_number,
    "price": lambda column: column.is_number,
    "total": lambda column: column.is_number,
    "currency": lambda column: column.all_match(r"[A-Z]{3}"),
}
# Roles by heading alone: these columns may be empty in all the first lines.
_MAY_BE_EMPTY = {"cancelled", "user", "session"}


def guess_roles(columns: Iterable[Column]) -> dict[str, Column]:
    """Return role → column; a role gets the best heading that fits, and a column has one role."""
    free = list(columns)
    taken: dict[str, Column] = {}
    for role in WORDS_OF_ROLES:
        ranked = [
            (rank, place) for place, column in enumerate(free) if (rank := _rank(role, column)) is not None
        ]
        if ranked:
            taken[role] = free.pop(min(ranked)[1])
    # Shopify calls the order its name: #1001.
    if "order" not in taken:
        for column in free:
            if plain_heading(column.name) == "name" and column.all_match(r"#\w*\d+\w*"):
                taken["order"] = column
    return taken


def misfits(columns: Iterable[Column], roles: Mapping[str, Column]) -> dict[str, Column]:
    """Return the columns with the heading of a role that is still open, because their values don't fit it."""
    free = [column for column in columns if column not in roles.values() and column.values]
    return {
        role: column
        for role in FITS
        if role not in roles
        for column in free
        if is_telling(role, column.label)
    }


def _rank(role: str, column: Column) -> int | None:
    if not column.values and role not in _MAY_BE_EMPTY:
        return None
    if column.values and role in FITS and not FITS[role](column):
        return None
    names = [column.label, column.path[-1]] if column.path else [column.name]
    if len(column.path) and column.path[-1].lower() in {"id", "sku", "code"}:
        names.insert(0, f"{(column.name, *column.path)[-2]}_id")
    ranks = [rank for name in names if (rank := heading_rank(role, name)) is not None]
    return min(ranks, default=None)


def looks_personal(column: Column) -> bool:
    """Return whether a column's name or values may identify a person."""
    if heading_is_personal(column.label):
        return True
    # The name of a person, or of a thing: only its values could show which.
    if plain_heading(column.name) == "name" and not column.all_match(r"#?\w*\d+\w*"):
        return True
    telling = (re.search(_EMAIL, value) or re.fullmatch(_IP_ADDRESS, value) for value in column.values)
    if any(telling):
        return True
    return column.all_match(_PHONE) and not column.is_number and column.time_form is None
