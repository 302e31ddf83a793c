"""What is found of the champion of an earlier night, which stands again."""

from collections.abc import Mapping

from features.contracts.finding_units import Meaning, Unit

CHAMPIONS: Mapping[str, Meaning] = {
    "champion_stands": Meaning(
        "today's policy is one that an earlier night elected; some of tonight's items are new to it, some of "
        "its own are gone",
        {
            "elected_on": Unit.DATE,
            "learned_on": Unit.DATE,
            "n_items": Unit.COUNT,
            "n_new_items": Unit.COUNT,
            "n_gone_items": Unit.COUNT,
        },
    ),
    "champion_items_gone": Meaning(
        "none of tonight's items is one of those that it knows, so the shop's own policy serves instead",
        {"n_items": Unit.COUNT},
    ),
    "champion_lacks_traits": Meaning(
        "it reads traits that tonight's logs don't have; they count as unknown",
        {"n_traits": Unit.COUNT, "traits": Unit.NAMES},
    ),
    "champion_refitted": Meaning("the learner that was promoted has learned anew from all rounds so far"),
    "champion_kept_unfitted": Meaning(
        "what it learned anew is shown to earn less than its policy of the night before, which stays",
        {"difference": Unit.REWARD, "lower": Unit.REWARD, "upper": Unit.REWARD},
    ),
    "champion_pinned": Meaning("a person has pinned today's policy: nothing else is promoted"),
    "champion_rolled_back": Meaning(
        "a person has chosen today's policy for this night: nothing else is promoted"
    ),
    "few_new_rounds": Meaning(
        "since today's policy was elected there are too few rounds to judge another one by; those before "
        "elected it",
        {"n_rounds": Unit.COUNT, "least": Unit.COUNT, "elected_on": Unit.DATE},
    ),
    "lists_until_promotion": Meaning(
        "what its lists showed is logged with propensities; they serve until a policy is shown to earn more"
    ),
    "between_looks": Meaning(
        "the evidence has hardly grown since the gate last looked at it, so nothing is promoted until the "
        "next look",
        {"look": Unit.COUNT, "n_new": Unit.COUNT, "n_rounds": Unit.COUNT, "share": Unit.SHARE},
    ),
    "later_look": Meaning(
        "the evidence against today's policy was looked at before, so the interval asked for is a wider one",
        {"look": Unit.COUNT, "confidence": Unit.SHARE},
    ),
}
"""Notes of a night, and reasons why nothing is promoted in it."""
