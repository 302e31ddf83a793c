"""English: sentences about the champion of an earlier night."""

SENTENCES = {
    "champion_stands": (
        "Today's policy is {subject}, learned in the night of {learned_on}; its learner was promoted in the "
        "night of {elected_on}. It scores {n_items:,} items: "
        "{n_new_items:,} are new to it and are scored by their attributes, and {n_gone_items:,} that it knew "
        "are gone."
    ),
    "champion_items_gone": (
        "{subject} can't serve any more, and is retired: none of the {n_items:,} items that it knows is on "
        "offer. The shop's own policy serves until another one is promoted. Should its items come back, "
        "`metacart rollback` lets it serve again."
    ),
    "champion_lacks_traits": (
        "{subject} reads traits that the logs no longer have, and takes them as unknown: {traits}."
    ),
    "champion_refitted": (
        "{subject}, which was promoted on an earlier night, has learned anew from all rounds so far."
    ),
    "champion_kept_unfitted": (
        "What {subject} has learned anew is shown to earn less than what it learned the night before "
        "({difference:+.4g} per round, {lower:+.4g} to {upper:+.4g}), which stays."
    ),
    "champion_pinned": (
        "Today's policy is pinned, so that nothing is promoted against it; `metacart unpin` lets evidence "
        "decide again."
    ),
    "champion_rolled_back": (
        "Today's policy was chosen by `metacart rollback` for this night, so that nothing is promoted "
        "against it; from the next night on evidence decides again."
    ),
    "few_new_rounds": (
        "Today's policy was elected in the night of {elected_on}. Another one is judged by later rounds "
        "alone, and there are {n_rounds:,} so far, fewer than the {least:,} of segments.min_rounds."
    ),
    "lists_until_promotion": (
        "What the lists showed is logged with its propensities, so that policies are judged against them. "
        "The lists serve until one is shown to earn more."
    ),
    "between_looks": (
        "Since the last look at the evidence against today's policy {n_new:,} rounds have come. Look number "
        "{look:,} is due after {share:.0%} of the {n_rounds:,} rounds of the last one; until then nothing is "
        "promoted, because each look costs all later ones a part of their level."
    ),
    "later_look": (
        "This is look number {look:,} at the evidence against today's policy. A gate that is asked every "
        "night would promote by chance sooner or later, so a gain must be shown by an interval of "
        "{confidence:.{confidence_digits}%}."
    ),
}
