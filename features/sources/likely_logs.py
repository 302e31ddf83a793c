"""Which logs an unknown file may feed, and from which of its columns."""

from collections.abc import Mapping

from features.sources.guesses import PURCHASE_WORDS
from features.sources.sample import Column

# Contract column ← role, for each log that a file may feed.
FEEDS: Mapping[str, Mapping[str, str]] = {
    "impressions": {
        "impression_id": "impression",
        "shown_at": "time",
        "user_id": "user",
        "session_id": "session",
        "surface": "surface",
        "slot": "slot",
        "item_id": "item",
        "propensity": "propensity",
        "policy_version": "policy",
    },
    "events": {
        "occurred_at": "time",
        "user_id": "user",
        "session_id": "session",
        "item_id": "item",
        "event_type": "event",
        "impression_id": "impression",
    },
    "purchases": {
        "order_id": "order",
        "line": "line",
        "ordered_at": "time",
        "user_id": "user",
        "session_id": "session",
        "item_id": "item",
        "quantity": "quantity",
        "price_cents": "price",
        "currency_code": "currency",
    },
    "ad_impressions": {
        "ad_impression_id": "impression",
        "shown_at": "time",
        "user_id": "user",
        "campaign_id": "campaign",
        "channel": "channel",
        "creative_id": "creative",
        "cost_cents": "cost",
        "propensity": "propensity",
        "is_clicked": "click",
        "conversions": "conversions",
        "conversion_value_cents": "revenue",
    },
    "ad_spend_daily": {
        "date": "time",
        "campaign_id": "campaign",
        "channel": "channel",
        "segment_id": "segment",
        "impressions": "n_impressions",
        "clicks": "click",
        "spend_cents": "cost",
        "conversions": "conversions",
        "revenue_cents": "revenue",
    },
    "items": {
        "item_id": "item",
        "category": "category",
        "brand": "brand",
        "price_cents": "price",
        "currency_code": "currency",
    },
    "users": {"user_id": "user", "region": "region", "device": "device", "signup_at": "signup"},
}

# What a log can do without its column: the line, and what to know about it.
STAND_INS: Mapping[str, tuple[str, str]] = {
    "impression_id": ('ids.impression_id = "row number"', "no id found; the line's number tells rows apart"),
    "event_id": ('ids.event_id = "row number"', "no id found; the line's number tells rows apart"),
    "ad_impression_id": ('ids.ad_impression_id = "row number"', "no id found; the line's number stands in"),
    "order_id": ('ids.order_id = "row number"', "no order found; every line is an order of its own"),
    "line": ('ids.line = "row number"', "no line number found; the line of the file stands in"),
    "quantity": ("constants.quantity = 1", "no quantity found"),
    "currency_code": ('constants.currency_code = "EUR"', "no currency found; say which"),
    "is_cancelled": ("constants.is_cancelled = false", "no cancellations found"),
    "segment_id": ('constants.segment_id = "all"', "no audience segment found"),
    "surface": ('constants.surface = "home"', "no surface found; say where items are shown"),
    "policy_version": ('constants.policy_version = "unknown"', "no policy found; say who chose"),
}


def likely_logs(roles: Mapping[str, Column]) -> list[str]:
    """Return the logs that the file has enough of to propose them."""
    has = roles.keys()
    words = roles["event"].words if has >= {"event", "item"} else frozenset[str]()
    is_spend = has >= {"n_impressions", "click", "cost"}
    enough = {
        "impressions": has >= {"item", "slot", "time"},
        "events": bool(words - PURCHASE_WORDS),
        "purchases": bool(words & PURCHASE_WORDS) if words else has >= {"order", "item", "time"},
        "ad_impressions": has >= {"campaign", "time", "user"} and not is_spend,
        "ad_spend_daily": is_spend,
        "items": "item" in has and bool(has & {"category", "brand"}),
        "users": "user" in has and bool(has & {"region", "device", "signup"}),
    }
    return [log for log in FEEDS if enough[log]]
