"""English: what a plan of an experiment lacks, and what it assumes."""

PLANS = {
    "not_ingested": (
        "{subject}: no log is loaded yet. `metacart ingest` loads them; or give the numbers with the options."
    ),
    "nothing_logged": (
        "{subject}: the loaded logs hold no rounds, events or purchases. Give the numbers with the options."
    ),
    "rate_missing": (
        "The share of rounds with a reward is not known (or is 0 or 1, which leaves nothing to measure): "
        "--rate 0.03 gives it."
    ),
    "users_missing": "The users per day are not known: --users-per-day 500 gives them.",
    "rounds_missing": (
        "How many rounds a user has on a day is not known: --rounds-per-user 12 gives it. A round is one "
        "item in one slot."
    ),
    "items_missing": (
        "How many items there are to choose from is not known, or below two, so nothing is planned "
        "off-policy: --items 30 gives it, and --slots 3 how many are shown at a time."
    ),
    "shop_stays_the_same": "Rates and traffic stay as they are: no season, no sale, no other users.",
    "growth_goes_on": (
        "The log has {n_days} days. Beyond them users and their repeated rounds are assumed to grow as in it."
    ),
    "users_always_new": (
        "How many users return is not known. Every day's users are taken for new ones, so days are lower "
        "limits: --users-in-28-days 4000 gives the number."
    ),
    "rounds_of_users_independent": (
        "How alike the rounds of a user are is not known. They are taken as independent, so days are lower "
        "limits: --correlation 0.02 gives it."
    ),
    "no_users_in_log": (
        "The log knows no users: every round counts as a user of its own, and arms would be drawn by round. "
        "Days are lower limits."
    ),
    "user_days_counted": (
        "The log has no rounds. Counted is the share of users' days, with an event or an order, that have a "
        "reward."
    ),
    "one_reward_per_user_day": (
        "The rate of a round is that of a user's day divided by its rounds, as if no day had two rewards."
    ),
    "one_item_in_each_slot": (
        "Off-policy, both policies always show the same item in a slot of a context. Policies that vary need "
        "fewer days."
    ),
    "tastes_unrelated": (
        "A user's taste for the candidate's items says nothing of the taste for today's: related tastes need "
        "fewer days."
    ),
    "differs_in_all_rounds": (
        "The candidate shows another item in every round: --differs 0.3 for one that does so in 30 % of them."
    ),
    "differs_in_some_rounds": "The candidate shows another item in {share:.0%} of the rounds.",
    "orders_planned": (
        'night.reward = "{reward}" is money, and this plan is of orders: rates, days and lifts are theirs. '
        "Amounts differ from order to order, so the same relative lift of the money needs about {times:.1f} "
        "times the rounds."
    ),
    "orders_planned.unknown": (
        'night.reward = "{reward}" is money, and this plan is of orders: rates, days and lifts are theirs. '
        "Amounts differ from order to order, so a lift of the money needs more rounds; how many is not known."
    ),
    "any_item_likely": (
        "The log as it is has its own propensities. A candidate that keeps to items that are often shown "
        "needs fewer days, one that looks for rare items more."
    ),
    "few_rewards_expected": (
        "Where fewer than {least} rewards on the candidate's items are expected in the days that are needed, "
        "marked *, the days are rough."
    ),
    "below_the_gate": (
        "The gate refuses evidence of fewer than {least:g} effective rounds (evaluation.min_ess), marked +: "
        "wait for more days there."
    ),
    "no_propensities_in_log": (
        "No round has a propensity, so the log as it is says nothing about other policies."
    ),
    "cost_unknown": ("What exploring costs is not known: the log can't say what uniformly shown items earn."),
    "cost_estimated": (
        "Uniformly shown items earn {uniform:.4f} per round, estimated from the log, and the log earned "
        "{logged:.4f}."
    ),
}
"""Code → sentence."""
