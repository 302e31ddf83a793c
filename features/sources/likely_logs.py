"""The logs that an unknown file may feed, and the columns that it has for them."""

import re
from collections.abc import Mapping, Set

from features.sources.guesses import ALL_EVENT_WORDS, EVENT_WORDS, PURCHASE_WORDS
from features.sources.headings import WORDS_OF_ROLES
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
        "event_id": "event_id",
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
        "is_cancelled": "cancelled",
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

# A file with fewer of a log's columns is not proposed for it.
LEAST_COLUMNS = 3

# Columns of what was shown. Beside them a price is that of the item, and nobody needs to have paid it.
_OF_WHAT_WAS_SHOWN = frozenset({"impression", "slot", "propensity", "click"})
# Words in the name of a file whose lines are views, clicks or the like. A basket may also be what was paid
# for, and so may the details of something.
_NAMES_OF_ACTS = frozenset({"impression"}).union(
    EVENT_WORDS["view"] - {"detail"}, *(WORDS_OF_ROLES[role].split() for role in ("click", "n_impressions"))
)


def likely_logs(roles: Mapping[str, Column], stem: str = "") -> list[str]:
    """Return the logs that the file has enough columns of; missing columns become blanks.

    stem: the file's name in lower case. It decides alone where the columns fit orders as well as acts.
    """
    has = roles.keys()
    words = roles["event"].words & ALL_EVENT_WORDS if "event" in has else frozenset[str]()
    is_spend = _is_spend(has)
    is_bought = bool(words & PURCHASE_WORDS) if words else not is_spend and _is_bought(has, stem)
    is_shown = not (words or is_spend or is_bought) and _is_shown(roles)
    is_ad = {"campaign", "time", "user"} <= has and not is_spend
    is_done = has >= {"item", "time"} and bool(has & {"user", "session"})
    enough = {
        "impressions": is_shown,
        "events": bool(words - PURCHASE_WORDS)
        or (is_done and not (words or is_spend or is_bought or is_shown or is_ad))
        or (is_shown and _is_clicked(roles)),
        "purchases": is_bought,
        "ad_impressions": is_ad,
        "ad_spend_daily": is_spend,
        "items": "item" in has
        and (bool(has & {"category", "brand"}) or (has >= {"price"} and not has & {"time", "order"})),
        "users": "user" in has and bool(has & {"region", "device", "signup"}),
    }
    found = [log for log in FEEDS if enough[log]]
    return found or _nearest(has)


def _is_spend(names: Set[str]) -> bool:
    figures = names & {"n_impressions", "click", "cost", "conversions", "revenue"}
    return (
        bool(names & {"cost", "n_impressions"})
        and len(figures) >= 2
        and not names & {"user", "session", "order"}
    )


def _is_bought(names: Set[str], stem: str) -> bool:
    is_paid = names >= {"price", "time", "user", "item"} and not (
        names & _OF_WHAT_WAS_SHOWN or _is_named_after_acts(stem)
    )
    is_order = "order" in names or names >= {"quantity", "item"} or is_paid
    known = names & {"order", "item", "time", "quantity", "price", "total", "user", "line", "cancelled"}
    return is_order and len(known) >= LEAST_COLUMNS and bool(names & {"time", "quantity", "price", "total"})


def _is_named_after_acts(stem: str) -> bool:
    words = set(re.split(r"[\W\d_]+", stem))
    return bool(words & _NAMES_OF_ACTS) and not words & PURCHASE_WORDS


def _is_shown(roles: Mapping[str, Column]) -> bool:
    has = roles.keys()
    return has >= {"item", "time"} and (
        bool(has & {"slot", "propensity", "impression"}) or _is_clicked(roles)
    )


def _is_clicked(roles: Mapping[str, Column]) -> bool:
    """Return whether each impression has a flag for its click on the same line."""
    return "click" in roles and roles["click"].is_flag


def _nearest(names: Set[str]) -> list[str]:
    """Return the log of which the file has most columns, if these are enough for a draft."""
    shown = {
        log: len(names & frozenset(feeds.values()))
        for log, feeds in FEEDS.items()
        if log not in {"items", "users"}
    }
    best = max(shown, key=lambda log: shown[log])
    return [best] if shown[best] >= LEAST_COLUMNS else []
