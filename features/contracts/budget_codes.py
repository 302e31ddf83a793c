"""Why the spend of a campaign in a channel and segment moves or stays: the codes of out_budget_allocation."""

from collections.abc import Mapping

from features.contracts.finding_units import Meaning, Unit

_MOVED = {
    "change": Unit.SHARE,
    "marginal_roas": Unit.RATIO,
    "shadow_price": Unit.RATIO,
    "agreement": Unit.SHARE,
}

BUDGET: Mapping[str, Meaning] = {
    "spend_stopped": Meaning(
        "nothing is spent now, and spend moves by a share of itself; usual_*: of a day with spend",
        {"last_spent": Unit.DATE, "usual_spend_cents": Unit.CENTS, "usual_return": Unit.RATIO},
    ),
    "never_spent": Meaning("no money was spent in the whole log", {"n_days": Unit.COUNT}),
    "nothing_earned": Meaning(
        "no revenue is logged anywhere, so no spend is better than another", {"n_days": Unit.COUNT}
    ),
    "few_days_of_spend": Meaning(
        "the log has too few independent days of spend",
        {"n_days": Unit.EFFECTIVE, "least": Unit.EFFECTIVE},
    ),
    "little_variation": Meaning(
        "the daily spend varied too little to show what more or less of it would earn",
        {"spread": Unit.SHARE, "least": Unit.SHARE},
    ),
    "spend_raised": Meaning(
        "the next cent earns more here than across the budget; agreement: probability of that", _MOVED
    ),
    "spend_lowered": Meaning(
        "the next cent earns less here than across the budget; agreement: probability of that", _MOVED
    ),
    "direction_unknown": Meaning(
        "the log does not show whether the next cent earns more here or elsewhere: the side that the fitted "
        "curve says has too small a probability",
        {"agreement": Unit.SHARE, "least": Unit.SHARE},
    ),
    "spend_is_best": Meaning("the current spend is the best within the limits"),
    "highest_day_stops": Meaning("the highest spend of a logged day limits the move"),
    "move_limit_stops": Meaning("the largest move of one night limits it", {"move_limit": Unit.SHARE}),
    "not_every_day": Meaning(
        "it spent on some of its last days only, and amounts are of a day with spend",
        {"n_active": Unit.COUNT, "n_current": Unit.COUNT},
    ),
    "channel_log_ends_early": Meaning(
        "the log of this channel ends before the shop's, by n_days",
        {"logged_until": Unit.DATE, "n_days": Unit.COUNT},
    ),
}
"""A row has them in this order: what is done and why, what limits it, what to know of its days."""
