"""What goes in: the contract of each log (DESIGN: log contracts).

A shop maps its files onto these columns by name. `user_id` is there only until the row is stored: the
warehouse keeps `user_key` in its place.
"""

import dataframely as dy
import polars as pl

from features.contracts import columns
from features.contracts.columns import optional
from features.contracts.row_rules import AtMost, ProductAtMost, RowRule

CLICKS_WITHIN_IMPRESSIONS = AtMost("clicks", "impressions")
LINE_TOTAL_IS_SUMMABLE = ProductAtMost("quantity", "price_cents", columns.MOST_CENTS)


class Impressions(dy.Schema):
    """One item shown once, with the probability it had.  Grain: impression_id."""

    impression_id = columns.impression_id
    shown_at = columns.shown_at
    user_id = optional(columns.user_id)
    session_id = columns.session_id
    surface = columns.surface
    slot = columns.slot
    item_id = columns.item_id
    propensity = optional(columns.propensity)
    policy_version = columns.policy_version
    candidate_set_id = optional(columns.candidate_set_id)
    context = optional(columns.context)


class Events(dy.Schema):
    """One thing a user did; session_id is null where a shop knows no visits.  Grain: event_id."""

    event_id = columns.event_id
    occurred_at = columns.occurred_at
    user_id = optional(columns.user_id)
    session_id = optional(columns.session_id)
    item_id = columns.item_id
    event_type = columns.event_type
    impression_id = optional(columns.impression_id)


class Purchases(dy.Schema):
    """One line of an order.  Grain: order_id, line.

    price_cents is null where a log has no prices; currency_code is then XXX, the ISO code for none.
    """

    order_id = columns.order_id
    line = columns.line
    ordered_at = columns.ordered_at
    user_id = optional(columns.user_id)
    session_id = optional(columns.session_id)
    item_id = columns.item_id
    quantity = columns.quantity
    price_cents = optional(columns.price_cents)
    currency_code = columns.currency_code
    is_cancelled = columns.is_cancelled
    is_returned = optional(columns.is_returned)

    @dy.rule()
    def line_total_is_summable(cls) -> pl.Expr:
        """Two numbers that are each possible can multiply to one that isn't."""
        return LINE_TOTAL_IS_SUMMABLE.holds()


class AdImpressions(dy.Schema):
    """One ad shown once.  Grain: ad_impression_id."""

    ad_impression_id = columns.ad_impression_id
    shown_at = columns.shown_at
    user_id = optional(columns.user_id)
    campaign_id = columns.campaign_id
    channel = columns.channel
    creative_id = columns.creative_id
    cost_cents = columns.cost_cents
    propensity = optional(columns.propensity)
    is_clicked = columns.is_clicked
    conversions = columns.conversions
    conversion_value_cents = columns.conversion_value_cents


class AdSpendDaily(dy.Schema):
    """Spend and return of a campaign on a channel, by day and audience segment.

    A file may hold several lines of one day, campaign, channel and segment, one for each banner or placement:
    they add up (see ADDED_UP).  Grain: date, campaign_id, channel, segment_id, once they are added up.
    """

    date = columns.date
    campaign_id = columns.campaign_id
    channel = columns.channel
    segment_id = columns.segment_id
    impressions = columns.impressions
    clicks = columns.clicks
    spend_cents = columns.spend_cents
    conversions = columns.adjusted_conversions
    revenue_cents = columns.revenue_cents

    @dy.rule()
    def clicks_are_within_impressions(cls) -> pl.Expr:
        """A click without its impression is a fault of the export."""
        return CLICKS_WITHIN_IMPRESSIONS.holds()


class CandidateSets(dy.Schema):
    """An item that could have been shown.  Grain: candidate_set_id, item_id."""

    candidate_set_id = columns.candidate_set_id
    item_id = columns.item_id


class Items(dy.Schema):
    """The catalog.  Grain: item_id."""

    item_id = columns.item_id
    name = optional(columns.name)
    url = optional(columns.url)
    image_url = optional(columns.image_url)
    category = optional(columns.category)
    brand = optional(columns.brand)
    price_cents = optional(columns.price_cents)
    currency_code = optional(columns.currency_code)
    attributes = optional(columns.attributes)


class Users(dy.Schema):
    """The people, without names.  Grain: user_id."""

    user_id = columns.user_id
    region = optional(columns.region)
    device = optional(columns.device)
    signup_at = optional(columns.signup_at)
    attributes = optional(columns.attributes)


LOGS: dict[str, type[dy.Schema]] = {
    "impressions": Impressions,
    "events": Events,
    "purchases": Purchases,
    "ad_impressions": AdImpressions,
    "ad_spend_daily": AdSpendDaily,
    "candidate_sets": CandidateSets,
    "items": Items,
    "users": Users,
}

# Asked after the rules of each column; the warehouse asks them in SQL, dataframely in polars.
ROW_RULES: dict[str, tuple[RowRule, ...]] = {
    "purchases": (LINE_TOTAL_IS_SUMMABLE,),
    "ad_spend_daily": (CLICKS_WITHIN_IMPRESSIONS,),
}

KEYS: dict[str, tuple[str, ...]] = {
    "impressions": ("impression_id",),
    "events": ("event_id",),
    "purchases": ("order_id", "line"),
    "ad_impressions": ("ad_impression_id",),
    "ad_spend_daily": ("date", "campaign_id", "channel", "segment_id"),
    "candidate_sets": ("candidate_set_id", "item_id"),
    "items": ("item_id",),
    "users": ("user_id",),
}

# Logs whose key is a grouping and no id: lines of the same key add up, in these columns. A later file of the
# same source states its days anew.
ADDED_UP: dict[str, tuple[str, ...]] = {
    "ad_spend_daily": ("impressions", "clicks", "spend_cents", "conversions", "revenue_cents"),
}
