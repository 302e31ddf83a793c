"""What the columns of an unknown file might be, by their names and the look of their values."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from features.sources.sample import Column

EVENT_WORDS = {
    "view": {"view", "views", "pageview", "page_view", "detail", "product_view"},
    "click": {"click", "clicks"},
    "add_to_cart": {"cart", "carts", "addtocart", "add_to_cart", "add-to-cart", "basket"},
    "remove_from_cart": {"remove_from_cart", "removefromcart", "remove-from-cart"},
}
PURCHASE_WORDS = {"purchase", "purchases", "transaction", "order", "orders", "buy", "sale"}
ALL_EVENT_WORDS = PURCHASE_WORDS.union(*EVENT_WORDS.values())

_EMAIL = r"[^@\s]+@[^@\s]+\.[a-zA-Z]{2,}"
_PHONE = r"\+?\d[\d ()/-]{7,}\d"
_IP_ADDRESS = r"\d{1,3}(\.\d{1,3}){3}"
_PERSONAL_NAMES = re.compile(
    r"e-?mail|phone|mobile|(^|_)(tel|ip|dob|ssn|iban)(_|$)|(first|last|full|sur|customer|user)_?name|"
    r"address|street|birth|passport|card_?number|zip|post_?code|(^|_)(age|gender|sex)(_|$)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Role:
    """What a column may stand for.

    names: pattern that its name matches, in snake case.
    fits: whether the values can be that.
    """

    names: str
    fits: Callable[[Column], bool] = lambda column: bool(column.values)


# In the order in which columns are given away: the more telling first.
ROLES: Mapping[str, Role] = {
    "event": Role(
        r"event|event_?type|type|action|behaviou?r", lambda column: bool(column.words & ALL_EVENT_WORDS)
    ),
    "signup": Role(r"sign_?up.*|registered.*|created.*", lambda column: column.time_form is not None),
    "time": Role(
        r".*(time|date|timestamp)|ts|at|when|.*_(at|ts)|day|date_?time.*|time_?stamp.*",
        lambda column: column.time_form is not None,
    ),
    "user": Role(r"(user|customer|visitor|client|member|account|person)(_?(id|key|no))?|uid|cid"),
    "session": Role(r".*session(_?id)?|visit(_?id)?"),
    "order": Role(r"(order|invoice|transaction|receipt|basket)(_?(id|no|number))?"),
    "line": Role(r"(order_)?line(_?(id|no|number))?|order_item_id", lambda column: column.is_whole),
    "item": Role(r"(item|product|sku|article|stock|aid)(_?(id|code|no))?|asin"),
    "impression": Role(r"(ad_)?(impression|display)_?id"),
    "slot": Role(r"slot|rank|position", lambda column: column.is_whole),
    "propensity": Role(r"propensity(_score)?|action_prob|probability", lambda column: column.is_number),
    "surface": Role(r"surface|page|widget|placement_id"),
    "policy": Role(r"policy(_?(version|name|id))?|variant|arm"),
    "quantity": Role(r"quantity|qty|pieces|units?", lambda column: column.is_number),
    "n_impressions": Role(r"impressions|displays|views", lambda column: column.is_whole),
    "click": Role(r"clicks?|clicked|is_clicked", lambda column: column.is_whole),
    "conversions": Role(r".*conversions?|orders|sales_count", lambda column: column.is_number),
    "cost": Role(
        r"cost|spend|.*_(cost|spend)(_cents)?|cost_cents|spend_cents", lambda column: column.is_number
    ),
    "revenue": Role(r".*(revenue|sales_amount|conversion_value).*", lambda column: column.is_number),
    "price": Role(r".*price.*|amount|value", lambda column: column.is_number),
    "currency": Role(r"currency.*", lambda column: column.all_match(r"[A-Z]{3}")),
    "campaign": Role(r"campaign.*"),
    "channel": Role(r"channel|placement|medium|network"),
    "creative": Role(r"creative.*|banner.*|ad(_?id)?"),
    "segment": Role(r"(segment|audience|user_engagement).*"),
    "category": Role(r".*category(_?(code|name))?|department"),
    "brand": Role(r"brand|manufacturer"),
    "region": Role(r"region|country|state"),
    "device": Role(r"device.*|platform"),
}


def guess_roles(columns: Iterable[Column]) -> dict[str, Column]:
    """Return which column stands for which role; the first fit takes it, and no column has two roles."""
    free = {column.name: column for column in columns}
    taken: dict[str, Column] = {}
    for role, look in ROLES.items():
        for name, column in free.items():
            if re.fullmatch(look.names, snake_case(name)) and look.fits(column):
                taken[role] = free.pop(name)
                break
    return taken


def looks_personal(column: Column) -> bool:
    """Say whether a column's name or values look as if they told who somebody is."""
    if _PERSONAL_NAMES.search(snake_case(column.name)):
        return True
    telling = (re.fullmatch(f"{_EMAIL}|{_IP_ADDRESS}", value) for value in column.values)
    if any(telling):
        return True
    return column.all_match(_PHONE) and not column.is_number and column.time_form is None


def snake_case(name: str) -> str:
    """Return the name in lower case, its words parted by underscores.

    >>> snake_case("CustomerID"), snake_case("Unit Price")
    ('customer_id', 'unit_price')
    """
    parted = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return re.sub(r"[\s.-]+", "_", parted).lower()
