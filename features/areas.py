"""The areas of decision: each is a value in the list AREAS, which all other parts read.

An area has its own contracts (`features/contracts/<area>.py`), its SQL (a folder), one module of decisions
and one part of the report. Contracts, warehouse, flows and reports read the rest from here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import dataframely as dy

from features.contracts.advertising import AdImpressions, AdTargeting
from features.contracts.budget import (
    CLICKS_WITHIN_IMPRESSIONS,
    AdSpendDaily,
    BudgetAllocation,
    BudgetBacktest,
    BudgetTotals,
)
from features.contracts.log import Log
from features.contracts.recommendation import (
    CandidateSets,
    Experiments,
    Impressions,
    RecommendationQuality,
    Recommendations,
    SegmentDistributions,
)

SQL = Path(__file__).parent / "warehouse" / "sql" / "areas"

Judgement = Literal["off_policy_evaluation", "replay", "certificate"]


@dataclass(frozen=True)
class AreaTable:
    """A table of an area's decisions.

    why_it_matters: what is lost in a night that decides in the area but has no rows of this table.
    is_occasional: no night must have it. instead_of: a table that is not needed where this one has rows.
    """

    contract: type[dy.Schema]
    why_it_matters: str = ""
    is_occasional: bool = False
    instead_of: str = ""


@dataclass(frozen=True)
class Area:
    """One area of decision.

    name: in tables, files and settings; title: for readers, as a heading.
    logs: the logs that only this area needs; decision_log: the one without which nothing is decided.
    rows: the name of the rows of that log, and unknown_without: what is unknown without them, both
    inside a sentence.
    judged_by: how decisions are judged. Areas of off-policy evaluation have rounds, and policies are learned
    for them; others read a separate mart, `mart`, and decide where it has rows.
    sql: the folder of its SQL models. Where it has rounds, `int_rounds_<name>` is among them, see
    features/warehouse/models.py.
    actions: SQL of the actions to choose from: item_id, columns that describe it, and attributes, a JSON
    object or null.
    rewards: result of a round, see `features/rewards.py` → the column of fct_rounds that has it, money in
    cents.
    logs_policies: a round names the policy that served it, so that the settings `night.evidence_policies` and
    `night.incumbent_policy` apply to this area.
    settings: the section of the configuration that is passed to its decisions; "" for none.
    acts: the mart of acts that it decides from, unproven, where nothing that was shown has a propensity; ""
    for none.
    tables: name → its description. decisions, report: the modules of its decisions and of its part of the
    report, by name, because features import neither: `decide` of offline_rl/decisions/night.py, `PART` of
    reports/pages/area_part.py.
    """

    name: str
    title: str
    logs: Mapping[str, Log]
    decision_log: str
    rows: str
    unknown_without: str
    judged_by: Judgement
    tables: Mapping[str, AreaTable]
    decisions: str
    report: str
    sql: Path
    mart: str = "fct_rounds"
    actions: str = ""
    rewards: Mapping[str, str] = field(default_factory=dict)
    logs_policies: bool = False
    settings: str = ""
    acts: str = ""

    @property
    def is_learned(self) -> bool:
        """Whether policies are learned for it, and judged by off-policy evaluation."""
        return self.judged_by == "off_policy_evaluation"


RECOMMENDATION = Area(
    name="recommendation",
    title="Recommendations",
    logs={
        "impressions": Log(Impressions, ("impression_id",)),
        "candidate_sets": Log(CandidateSets, ("candidate_set_id", "item_id")),
    },
    decision_log="impressions",
    rows="impressions",
    unknown_without="what was shown and passed over, so there is nothing to learn from",
    judged_by="off_policy_evaluation",
    sql=SQL / "recommendation",
    actions="""
        SELECT item_id, category, brand, price_cents, price_position, attributes
        FROM dim_items ORDER BY item_id""",
    rewards={
        "click": "is_clicked",
        "conversion": "is_converted",
        "revenue": "revenue_cents",
        "margin": "margin_cents",
    },
    logs_policies=True,
    settings="lists",
    acts="fct_acts",
    tables={
        "out_recommendations": AreaTable(
            Recommendations, "without it nobody can see what would be shown tomorrow"
        ),
        "out_segment_distributions": AreaTable(
            SegmentDistributions, is_occasional=True, instead_of="out_recommendations"
        ),
        "out_recommendation_quality": AreaTable(RecommendationQuality, is_occasional=True),
        "out_experiments": AreaTable(Experiments, is_occasional=True),
    },
    decisions="offline_rl.decisions.recommendation.decide",
    report="reports.pages.areas.recommendation",
)

ADVERTISING = Area(
    name="advertising",
    title="Ad targeting",
    logs={"ad_impressions": Log(AdImpressions, ("ad_impression_id",))},
    decision_log="ad_impressions",
    rows="ad impressions",
    unknown_without="which ads were shown, so that no creative can be chosen",
    judged_by="off_policy_evaluation",
    sql=SQL / "advertising",
    actions="""
        SELECT action_id AS item_id, any_value(campaign_id) AS campaign, any_value(surface) AS channel,
               CAST(NULL AS VARCHAR) AS attributes
        FROM fct_rounds WHERE domain = 'advertising' GROUP BY action_id ORDER BY action_id""",
    # What was bought after an ad is not in its log, so its margin is not known.
    rewards={"click": "is_clicked", "conversion": "is_converted", "revenue": "revenue_cents"},
    tables={
        "out_ad_targeting": AreaTable(
            AdTargeting, "without it nobody can see which ads would be shown to whom"
        )
    },
    decisions="offline_rl.decisions.advertising.decide",
    report="reports.pages.areas.advertising",
)

BUDGET = Area(
    name="budget",
    title="Budget",
    logs={
        "ad_spend_daily": Log(
            AdSpendDaily,
            ("date", "campaign_id", "channel", "segment_id"),
            row_rules=(CLICKS_WITHIN_IMPRESSIONS,),
            added_up=("impressions", "clicks", "spend_cents", "conversions", "revenue_cents"),
        )
    },
    decision_log="ad_spend_daily",
    rows="daily ad spend",
    unknown_without="what was spent on ads, so that no budget can be divided",
    judged_by="certificate",
    sql=SQL / "budget",
    mart="fct_ad_spend",
    settings="budget",
    tables={
        "out_budget_allocation": AreaTable(
            BudgetAllocation, "without it nobody can see what would be spent tomorrow"
        ),
        "out_budget_totals": AreaTable(BudgetTotals, "without it nobody can see what the budget would gain"),
        "out_budget_backtest": AreaTable(BudgetBacktest, is_occasional=True),
    },
    decisions="offline_rl.decisions.budget.decide",
    report="reports.pages.areas.budget",
)

AREAS: tuple[Area, ...] = (RECOMMENDATION, ADVERTISING, BUDGET)
"""All areas, in the order in which a night decides and reports them."""


def area_of(name: str) -> Area:
    """Return the area of this name.

    >>> area_of("advertising").title
    'Ad targeting'
    """
    return next(area for area in AREAS if area.name == name)
