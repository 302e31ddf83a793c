"""English: why the spend of a budget line moves or stays."""

_EARNS = "the next cent brings {marginal_roas:.2f} cents here, {shadow_price:.2f} across the budget"
_STAYS = "the spend stays where it is"

BUDGET = {
    "spend_stopped": (
        "Nothing is spent here now, the last time was {last_spent:%Y-%m-%d}: {usual_spend_cents:,.2f} on a "
        "usual day with spend, at a return of {usual_return:.2f}. Spend moves by a share of itself: start it "
        "by hand to learn more."
    ),
    "never_spent": "No money was spent here in {n_days} days: there is nothing to learn from.",
    "nothing_earned": (
        f"No revenue is logged anywhere in {{n_days}} days, so no spend is better than another: {_STAYS}."
    ),
    "few_days_of_spend": (
        f"Only {{n_days:.1f}} independent days of spend are logged, and {{least:g}} are needed: {_STAYS}."
    ),
    "little_variation": (
        "The daily spend varied by {spread:.1%} only, and {least:.0%} is needed within a week to see what "
        f"more or less would bring: {_STAYS}."
    ),
    "spend_raised": (
        f"Raised by {{change:.1%}}: {_EARNS} (probability that it brings more here: {{agreement:.0%}})."
    ),
    "spend_lowered": (
        f"Lowered by {{change:.1%}}: {_EARNS} (probability that it brings less here: {{agreement:.0%}})."
    ),
    "direction_unknown": (
        "The logs don't say whether the next cent brings more here or elsewhere: what the curves say has a "
        f"probability of {{agreement:.0%}}, and {{least:.0%}} is needed, so {_STAYS}."
    ),
    "spend_is_best": "The current spend is the best within the limits.",
    "highest_day_stops": "The highest spend of a logged day stops it: beyond that nothing is known.",
    "move_limit_stops": "The limit of {move_limit:.0%} a night stops it.",
    "not_every_day": (
        "It spent on {n_active} of its last {n_current} days, and amounts are of a day with spend."
    ),
    "channel_log_ends_early": (
        "The log of its channel ends on {logged_until:%Y-%m-%d}, {n_days} days before the shop's: those days "
        "are not known, and today's spend is that of its own last days."
    ),
    "channel_log_ends_early.one": (
        "The log of its channel ends on {logged_until:%Y-%m-%d}, 1 day before the shop's: that day is not "
        "known, and today's spend is that of its own last days."
    ),
}
"""Code → sentence; amounts in cents arrive in units of the currency."""

PLURALS = {"channel_log_ends_early": "n_days"}
