"""English: the page of decisions, apart from the budget."""

from collections.abc import Mapping

TEXTS: Mapping[str, str] = {
    "decisions.nothing": "This night decided nothing for tomorrow; the overview says why.",
    "ranking.title": "Recommendations, unproven",
    "ranking.what": "recommendations",
    "ranking.on_terminal": "recommendation: UNPROVEN  {sentences}",
    "ranking.decided": "Tomorrow every user with a history gets a list by {ranker}; users: {users}.",
    "ranking.decided_for_all": "Tomorrow every visitor gets the list by {ranker}.",
    "ranking.decided_nothing": "Nobody gets a list: no item with an act is in the catalog.",
    "ranking.known_ranker": "{ranker} ({about})",
    "ranker.popularity": "what most visitors chose lately",
    "ranker.best_sellers": "what most visitors chose in the last 30 days",
    "ranker.own_items": "what the user chooses again and again",
    "ranker.item_to_item": "items like the user's own, and those again",
    "ranker.item_to_item_new": "items like the user's own, none twice",
    "ranker.item_to_item_similar": "items like the user's own",
    "ranker.item_to_item_sharp": "items like the user's own, hardly mixed with popular ones",
    "ranker.item_to_item_fast": "items like the user's own, the last days counting most",
    "ranker.item_to_item_blended": "items like the user's own, mixed with popular ones",
    "ranker.item_to_item_conditional": "items that others chose beside the user's own",
    "ranking.measured": (
        "From {first} to {last}, after the days that chose it, {hit_rate} of {n_users} visitors chose one of "
        "the first {n_places} items of their list, and {plain_hit_rate} one of the popular items. It serves "
        "since its NDCG is {difference} above that of popularity there."
    ),
    "ranking.measured_plain": (
        "From {first} to {last}, with {n_users} visitors, no ranking was surely better than popularity, so "
        "popular items are shown."
    ),
    "ranking.unmeasured": (
        "There are too few days or users to try a ranking on later days, so popular items are shown."
    ),
    "ranking.unproven": (
        "So it is known what users did, and not what they would have done had something else been shown. A "
        "good ranking foretells what is chosen, which does not prove that it brings any choice about."
    ),
    "ranking.next_step": (
        "To prove it, log what is shown: the table has the exact probability of each item, and a share of "
        "lists is drawn at random. A log of impressions with surface, slot, policy_version and propensity "
        "lets a later night measure what the lists bring about, once it has enough of them."
    ),
    "ranking.next_step_logged": (
        "Go on logging what is shown: each night judges policies against these lists by it."
    ),
    "ranking.next_step_certain": (
        "Nothing is left to chance, because learning.exploration is 0: no log of these lists can ever prove "
        "what they bring about."
    ),
    "ranking.next_step_one_item": (
        "There is one item to show, and nothing to choose: a log of these lists can't prove anything until "
        "the shop has more items."
    ),
    "experiment.title": "The experiment",
    "experiment.interval": (
        "The interval holds on all nights together with {confidence}, so it may be looked at each night. "
        "That of a single look is narrower, and would stop up to one in four experiments without any "
        "difference."
    ),
    "experiment.served": "{share} of the rounds of the candidate's users were served by it.",
    "experiment.arm.candidate": "Candidate",
    "experiment.arm.champion": "Today's policy",
    "experiment.difference": "Difference",
    "recommendation.title": "Recommendations",
    "recommendation.title_by_segment": "Recommendations by segment",
    "recommendation.fact.rows": "Rows",
    "recommendation.fact.users": "Users",
    "recommendation.fact.keys": "Keys",
    "recommendation.fact.segments": "Segments",
    "recommendation.fact.surfaces": "Surfaces",
    "recommendation.fact.items": "Different items",
    "recommendation.fact.exploration": "Exploration",
    "recommendation.fact.policies": "Served by",
    "recommendation.count": "Recommendations",
    "recommendation.n_rows": "{n_rows} rows",
    "recommendation.item": "{name} ({item})",
    "recommendation.segment_shares": (
        "The logs know no users, so nobody has a list of their own: each visitor of a segment draws an item "
        "with these probabilities."
    ),
    "recommendation.small_segments": (
        "Not shown: {n_segments} segments with fewer than {smallest} users, so that nobody can be singled "
        "out."
    ),
    "recommendation.small_segments.one": (
        "Not shown: 1 segment with fewer than {smallest} users, so that nobody can be singled out."
    ),
    "fallback.segment": "the segment's own policy",
    "fallback.pooled": "the policy of all segments together",
    "fallback.baseline": "the policy that serves today",
    "fallback.popular": "the most popular items",
    "advertising.title": "Ad targeting",
}
