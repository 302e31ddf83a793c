"""What goes in: the contract of each log (DESIGN: log contracts); those of an area are in a file of its own.

A shop maps its files onto these columns by name. `user_id` is there only until the row is stored: the
warehouse keeps `user_key` in its place.
"""

import dataframely as dy
import polars as pl

from features.areas import AREAS
from features.contracts import columns
from features.contracts.columns import optional
from features.contracts.log import Log
from features.contracts.row_rules import ProductAtMost, RowRule

LINE_TOTAL_IS_SUMMABLE = ProductAtMost("quantity", "price_cents", columns.MOST_CENTS)
LINE_COST_IS_SUMMABLE = ProductAtMost("quantity", "cost_cents", columns.MOST_CENTS)


class Events(dy.Schema):
    """One thing a user did; session_id is null where a shop knows no visits. Grain: event_id."""

    event_id = columns.event_id
    occurred_at = columns.occurred_at
    user_id = optional(columns.user_id)
    session_id = optional(columns.session_id)
    item_id = columns.item_id
    event_type = columns.event_type
    impression_id = optional(columns.impression_id)


class Purchases(dy.Schema):
    """One line of an order. Grain: order_id, line.

    price_cents is null where a log has no prices; currency_code is then XXX, the ISO code for none.
    cost_cents counts before that of the item; only the reward `margin` reads it.
    """

    order_id = columns.order_id
    line = columns.line
    ordered_at = columns.ordered_at
    user_id = optional(columns.user_id)
    session_id = optional(columns.session_id)
    item_id = columns.item_id
    quantity = columns.quantity
    price_cents = optional(columns.price_cents)
    cost_cents = optional(columns.piece_cost_cents)
    currency_code = columns.currency_code
    is_cancelled = columns.is_cancelled
    is_returned = optional(columns.is_returned)

    @dy.rule()
    def line_total_is_summable(cls) -> pl.Expr:
        """Two numbers that are each possible can multiply to one that isn't."""
        return LINE_TOTAL_IS_SUMMABLE.holds()

    @dy.rule()
    def line_cost_is_summable(cls) -> pl.Expr:
        """The same holds for what the pieces cost."""
        return LINE_COST_IS_SUMMABLE.holds()


class Items(dy.Schema):
    """The catalog. Grain: item_id."""

    item_id = columns.item_id
    name = optional(columns.name)
    url = optional(columns.url)
    image_url = optional(columns.image_url)
    category = optional(columns.category)
    brand = optional(columns.brand)
    price_cents = optional(columns.price_cents)
    cost_cents = optional(columns.piece_cost_cents)
    currency_code = optional(columns.currency_code)
    attributes = optional(columns.attributes)


class Users(dy.Schema):
    """The people, without names. Grain: user_id."""

    user_id = columns.user_id
    region = optional(columns.region)
    device = optional(columns.device)
    signup_at = optional(columns.signup_at)
    attributes = optional(columns.attributes)


OF_ALL_AREAS = {
    "events": Log(Events, ("event_id",)),
    "purchases": Log(
        Purchases, ("order_id", "line"), row_rules=(LINE_TOTAL_IS_SUMMABLE, LINE_COST_IS_SUMMABLE)
    ),
    "items": Log(Items, ("item_id",)),
    "users": Log(Users, ("user_id",)),
}
"""What no single area logs: what people did and bought, the catalog and the people."""

_ALL = {name: log for area in AREAS for name, log in area.logs.items()} | OF_ALL_AREAS

# What `Log` says of each, by name.
LOGS: dict[str, type[dy.Schema]] = {name: log.contract for name, log in _ALL.items()}
KEYS: dict[str, tuple[str, ...]] = {name: log.key for name, log in _ALL.items()}
ROW_RULES: dict[str, tuple[RowRule, ...]] = {
    name: log.row_rules for name, log in _ALL.items() if log.row_rules
}
ADDED_UP: dict[str, tuple[str, ...]] = {name: log.added_up for name, log in _ALL.items() if log.added_up}
