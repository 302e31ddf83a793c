"""English: what `metacart plan` prints, beside what it lacks and assumes (plan_findings.py)."""

from collections.abc import Mapping

KNOWN: Mapping[str, str] = {
    "plan.title": "{shop}: {area}, {first} to {last}",
    "plan.title_without_log": "Planned from the numbers that were given.",
    "plan.unit.rounds": "rounds of {area}",
    "plan.unit.user_days": "days of users",
    "plan.rate.rounds": "{rate} of rounds have a reward; {n_users} users a day with {n_rounds} rounds each",
    "plan.rate.user_days": "{rate} of the days of users have a reward; {n_users} users a day",
    "plan.shown": "{n_items} items to choose from, {n_slots} shown at a time",
    "plan.clustering": "design effect of users: {day} on one day, {month} in {n_days} days",
    "plan.users": "{n_users} distinct users in {n_days} days",
    "plan.asked": (
        "To show a lift of {lift} ({rate} to {raised}) in {power} of cases, by a two-sided interval at "
        "{level}:"
    ),
    "plan.nothing": "Nothing can be planned yet:",
    "plan.lifts": "Smallest lift that is shown in {power} of cases:",
    "plan.lacking": "Not planned:",
    "plan.rests_on": "This rests on:",
    "plan.none_possible": "Nothing here shows this lift in a year.",
}

ROWS: Mapping[str, str] = {
    "plan.head.design": "design",
    "plan.head.days": "days",
    "plan.head.users": "users",
    "plan.head.rounds": "rounds",
    "plan.head.effective": "effective rounds",
    "plan.head.cost": "exploring costs",
    "plan.head.after": "{n_days} days",
    "plan.head.after.one": "1 day",
    "plan.two_arms": "two arms, {share} of users on the candidate",
    "plan.explored": "off-policy, {share} of slates explored",
    "plan.as_logged": "off-policy, the log as it is",
    "plan.beyond_a_year": "more than a year",
    "plan.never": "never: too few users",
    "plan.impossible": "never: too large a lift",
    "plan.no_lift": "none",
    "plan.large_lift": "over {largest}",
    "plan.rough": "{days}*",
    "plan.below_gate": "{effective}+",
    "plan.cost": "{share} of rewards, {amount} a day",
}

TEXTS: Mapping[str, str] = {**KNOWN, **ROWS}
