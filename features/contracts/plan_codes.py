"""What a plan of an experiment lacks, and what it assumes: the codes of `metacart plan`."""

from collections.abc import Mapping

from features.contracts.finding_units import Meaning, Unit

LACKS: Mapping[str, Meaning] = {
    "not_ingested": Meaning("no log of the shop is loaded, which would give its numbers"),
    "nothing_logged": Meaning("the loaded logs have no rounds, events or purchases"),
    "rate_missing": Meaning("the share of rounds with a reward is not known, or is 0 or 1"),
    "users_missing": Meaning("the users per day are not known"),
    "rounds_missing": Meaning("the rounds per user and day are not known"),
    "items_missing": Meaning("the number of items to choose from is not known, or is below 2"),
}
"""Numbers without which something can't be planned."""

ASSUMED: Mapping[str, Meaning] = {
    "shop_stays_the_same": Meaning("rates and traffic stay as they are"),
    "growth_goes_on": Meaning(
        "beyond this many days, users and their repeated rounds grow as in the log", {"n_days": Unit.COUNT}
    ),
    "users_always_new": Meaning("every day's users are taken for new ones, so that days are a lower limit"),
    "rounds_of_users_independent": Meaning(
        "a user's rounds are taken as independent, so that days are a lower limit"
    ),
    "no_users_in_log": Meaning("the log knows no users: each round counts as a user of its own"),
    "user_days_counted": Meaning(
        "the log has no rounds: a day of a user with an event or order counts as one"
    ),
    "one_reward_per_user_day": Meaning("the rate of a round is that of a user's day over its rounds"),
    "one_item_in_each_slot": Meaning("both policies always show the same item in a slot of a context"),
    "tastes_unrelated": Meaning(
        "what a user likes of the candidate's items says nothing of today's items: no case needs more days"
    ),
    "differs_in_all_rounds": Meaning("the candidate shows another item in every round"),
    "differs_in_some_rounds": Meaning(
        "the candidate shows another item in this share", {"share": Unit.SHARE}
    ),
    "orders_planned": Meaning(
        "the reward is money, and the plan is of orders; times: the rounds that the same relative lift of "
        "that money needs, over those of orders",
        {"reward": Unit.NAME, "times": Unit.NUMBER},
    ),
    "any_item_likely": Meaning("the log as it is: the candidate shows any available item equally likely"),
}
"""What the answers rest on."""

CAUTIONS: Mapping[str, Meaning] = {
    "few_rewards_expected": Meaning(
        "so few rewards on the candidate's items are expected that a normal interval is rough",
        {"least": Unit.COUNT},
    ),
    "below_the_gate": Meaning(
        "the gate refuses evidence of so few effective rounds", {"least": Unit.EFFECTIVE}
    ),
    "no_propensities_in_log": Meaning("no round has a propensity: the log as it is can't be evaluated"),
    "cost_unknown": Meaning("the reward of uniformly shown items is not known, so the cost isn't either"),
    "cost_estimated": Meaning(
        "the reward of uniformly shown items, estimated from the log by their propensities",
        {"uniform": Unit.REWARD, "logged": Unit.REWARD},
    ),
}
"""What to know of single answers."""

PLANS: Mapping[str, Meaning] = {**LACKS, **ASSUMED, **CAUTIONS}
