"""Decisions: what will be shown and spent tomorrow, in sums; no row of a single user."""

from dataclasses import dataclass

from reports.pages.decisions_budget import BudgetDecisions, budget_decisions
from reports.pages.decisions_shown import (
    AdDecisions,
    RecommendationDecisions,
    SegmentDecisions,
    ad_decisions,
    recommendation_decisions,
    segment_decisions,
)
from reports.summaries.formatting import RewardFormat
from reports.summaries.night import Night


@dataclass(frozen=True)
class DecisionsPage:
    """What the page prints; None where the night has no rows for a part."""

    recommendations: RecommendationDecisions | None
    segments: SegmentDecisions | None
    ads: AdDecisions | None
    budget: BudgetDecisions | None


def decisions(night: Night, formats: dict[str, RewardFormat]) -> DecisionsPage:
    """Return the decisions of the night."""
    return DecisionsPage(
        recommendations=recommendation_decisions(night, formats["recommendation"]),
        segments=segment_decisions(night, formats["recommendation"]),
        ads=ad_decisions(night, formats["advertising"]),
        budget=budget_decisions(night),
    )
