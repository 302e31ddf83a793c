"""English: the page of `metacart loop`."""

from collections.abc import Mapping

FRAME: Mapping[str, str] = {
    "loop.title": "Closed loops of simulated shops",
    "loop.skip": "Skip to the goals",
    "loop.brand": "metacart · closed loops",
    "loop.sections": "Sections",
    "loop.lead": (
        "Goals met: {n_met} of the {n_judged} that these loops can judge; {n_open} more can't be judged."
    ),
    "loop.setting": (
        "Shops of {n_users} users. After {n_days} days of its first policies, every shop has a night, a "
        "day on which the lists of the night are shown, and so on. Values are true ones, from the "
        "simulated world: clicks per round, which is one item shown in one place."
    ),
    "loop.footer": "Equal options and seeds give this page again.",
    "loop.title.goals": "Goals",
    "loop.title.limits": "How to read this",
    "loop.title.world": "World {world}",
    "loop.question.goals": "Does metacart keep what it promises?",
    "loop.question.limits": "What do these numbers rest on?",
    "loop.question.world": "What did each way to run the shop truly earn?",
    "loop.numbers": "Numbers behind the chart, by night",
}

GOALS: Mapping[str, str] = {
    "goal.judgement.met": "Met",
    "goal.judgement.not_met": "Not met",
    "goal.judgement.not_judged": "Not judged",
    "goal.asked.gap_closed": "In {world}, at least {asked} of the gap is closed after {n_asked} nights.",
    "goal.asked.mean_never_lower": (
        "In {world}, the mean over shops is on no night more than {asked} below the first policy."
    ),
    "goal.asked.no_shop_lower": "In {world}, no shop is more than {asked} below the first policy.",
    "goal.asked.recovery": (
        "In {world}, at least {asked} of what the jump of tastes costs is recovered within {n_asked} nights."
    ),
    "goal.asked.coverage": "In {world}, the coverage of 95% intervals is compatible with {asked}.",
    "goal.asked.false_promotions": (
        "In {world}, at most {n_allowed} promotion in {n_asked_shops} shops of {n_asked} nights."
    ),
    "goal.found.gap_closed": (
        "metacart closed {share}, single shops {least} to {greatest} (shops: {n_shops}; mean of the last "
        "nights, {n_last} of {n_nights})."
    ),
    "goal.found.mean_never_lower": (
        "On its worst night, night {night}, it was at {change}; over all nights ({n_nights}) at {overall} "
        "(shops: {n_shops}; both sides with the same share of uniform slates)."
    ),
    "goal.found.no_shop_lower": (
        "Over all nights ({n_nights}) the worst shop was at {change}; the worst single night of a shop at "
        "{single} (shops: {n_shops}; both sides with the same share of uniform slates)."
    ),
    "goal.found.recovery": (
        "Before the jump {before} of the gap was closed; on night {night}, whose list met the new tastes "
        "first, {after}; {n_asked} nights later {later}. That is {share} of what was lost (shops: "
        "{n_shops})."
    ),
    "goal.found.coverage": (
        "{share} of the intervals hold the truth (nights: {n_nights}, shops: {n_shops}), 95% interval "
        "{lower} to {upper}: {method}"
    ),
    "goal.found.false_promotions": (
        "Promotions: {n_promotions} (shops: {n_shops}, nights of each: {n_nights}); every promotion there "
        "is a false one."
    ),
    "goal.why.world_not_run": "These loops have no shop of this world.",
    "goal.why.way_not_run": "metacart's own nights were not run in this world.",
    "goal.why.few_nights": "It takes {n_least} nights, and these loops end with night {n_nights}.",
    "goal.why.few_shops": "It takes {n_asked_shops} shops of {n_asked} nights.",
    "goal.why.nothing_to_gain": "Nothing can be gained in this world.",
    "goal.why.nothing_lost": (
        "The jump cost too little to tell: {before} of the gap was closed before, {after} on the first night "
        "after."
    ),
    "goal.why.no_intervals": "No night has an interval.",
    "goal.so_far": "So far: {found}",
    "coverage.method.t_over_shops": (
        "Student's t over the shares of shops, since nights of one shop share days and hit or miss together."
    ),
    "coverage.method.shops_alike": (
        "exact binomial with each shop as one trial, since all shops have the same share."
    ),
    "coverage.method.one_shop": (
        "exact binomial with each night as a trial. Nights of one shop share days, so it is too short."
    ),
}

WORLD: Mapping[str, str] = {
    "way.metacart": "metacart",
    "way.no_exploration": "metacart without exploring",
    "way.pooled": "pooled model, fitted nightly",
    "way.thompson": "Thompson sampling",
    "way.first": "first policy",
    "way.oracle": "best the features allow",
    "loop.chart.found": "Share of the gap closed on the last nights: {shares}.",
    "loop.chart.way": "{way} {share}",
    "loop.chart.nothing": "Nothing can be gained here.",
    "loop.chart.jump": "Tastes jump on night {night}, at the line.",
    "loop.chart.shops": (
        "The chart is the mean over the shops that every way has run ({n_shops}). The first policy is as "
        "it was; the best that the features allow shows as many uniform slates as {way}."
    ),
    "loop.no_common": "The ways have no shop in common, so no chart compares them.",
    "loop.coverage_note": (
        "Gap closed and values are means over shops; mean and worst shop are against the first policy. "
        "Coverage is the mean of the shops' shares of nights whose 95% interval holds the truth; in "
        "brackets its own 95% interval, clustered by shop where two or more of them differ."
    ),
    "loop.closed": (
        "Nights on which metacart promoted nothing: {n_closed}. The reasons of their verdicts, by their "
        "code in out_verdicts:"
    ),
    "loop.none_closed": "No night of metacart ended without a promotion.",
    "loop.without_metacart": "metacart's own nights were not run in this world, so no gate was asked.",
}

LIMITS: Mapping[str, str] = {
    "loop.limit.same_exploring": (
        "Each way is compared with the first policy and with the best slates at its own share of uniform "
        "slates: what exploring costs does not count for or against a way. Thompson sampling explores by "
        "itself, so it is compared with both without such a share. Metacart's own nights draw "
        "half of the exploring slates from the policy that asks to serve, as long as the shop's own serves, "
        "and make experiments, on half of the users; what both earn counts."
    ),
    "loop.limit.gap": (
        "The gap is what the best slates that the features allow earn beyond the first policy. Values and "
        "gap are means of the last nights ({n_last}), since single days vary; mean and worst shop are over "
        "all nights."
    ),
    "loop.limit.stock": (
        "A list is made the evening before: what sells out until it is shown is not clicked. The first "
        "policy and the best slates are compared as such lists. The line of the chart is the first policy "
        "as it was, filled at each visit with what is on offer. In the world null nothing sells out."
    ),
    "loop.limit.pooled": (
        "The pooled model has no interactions: the order of its items is the same for everybody."
    ),
}

TEXTS: Mapping[str, str] = {**FRAME, **GOALS, **WORLD, **LIMITS}
