"""English: the page of decisions, apart from the budget."""

from collections.abc import Mapping

TEXTS: Mapping[str, str] = {
    "decisions.nothing": "This night decided nothing for tomorrow; the overview says why.",
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
    "fallback.baseline": "the strongest plain policy",
    "fallback.popular": "the most popular items",
    "advertising.title": "Ad targeting",
}
