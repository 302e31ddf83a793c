"""Budget: what was spent and earned by day, what to spend tomorrow, and how well that could be predicted."""

import dataframely as dy
import polars as pl

from features.contracts import columns
from features.contracts.columns import optional
from features.contracts.row_rules import AtMost

CLICKS_WITHIN_IMPRESSIONS = AtMost("clicks", "impressions")


class AdSpendDaily(dy.Schema):
    """Spend and return of a campaign on a channel, by day and audience segment.

    A file may hold several lines of one day, campaign, channel and segment, one for each banner or placement:
    they add up (see ADDED_UP). Grain: date, campaign_id, channel, segment_id, once they are added up.
    """

    date = columns.date
    campaign_id = columns.campaign_id
    channel = columns.channel
    segment_id = columns.segment_id
    impressions = columns.impressions
    clicks = columns.clicks
    spend_cents = columns.spend_cents
    conversions = columns.adjusted_conversions
    revenue_cents = columns.revenue_cents

    @dy.rule()
    def clicks_are_within_impressions(cls) -> pl.Expr:
        """A click without its impression is a fault of the export."""
        return CLICKS_WITHIN_IMPRESSIONS.holds()


class BudgetAllocation(dy.Schema):
    """Tomorrow's spend. Grain: scenario, campaign_id, channel, segment_id.

    Spend, limits and revenue are of a day on which the cell spends; daily_spend_* are means over all days.
    What a refused cell would earn is not known: its expectations are null.
    """

    run_id = columns.run_id
    as_of = columns.as_of
    scenario = columns.scenario
    campaign_id = columns.campaign_id
    channel = columns.channel
    segment_id = columns.segment_id
    spend_current_cents = columns.spend_current_cents
    spend_recommended_cents = columns.spend_recommended_cents
    spend_min_cents = columns.spend_min_cents
    spend_max_cents = columns.spend_max_cents
    active_share = columns.active_share
    daily_spend_current_cents = columns.daily_spend_current_cents
    daily_spend_recommended_cents = columns.daily_spend_recommended_cents
    change_share = optional(columns.change_share)
    expected_conversions = optional(columns.expected_conversions)
    revenue_current_cents = optional(columns.revenue_current_cents)
    expected_revenue_cents = optional(columns.expected_revenue_cents)
    revenue_lower_cents = optional(columns.revenue_lower_cents)
    revenue_upper_cents = optional(columns.revenue_upper_cents)
    roas = optional(columns.roas)
    marginal_roas = optional(columns.marginal_roas)
    binding_constraint = columns.binding_constraint
    shadow_price = columns.shadow_price
    max_supported_spend_cents = columns.max_supported_spend_cents
    ess = columns.ess
    logged_until = columns.logged_until
    status = columns.budget_status
    reason_text = columns.reason_text
    reason_codes = columns.reason_codes
    findings = columns.findings
    certified_gap = columns.certified_gap

    @dy.rule()
    def spend_keeps_its_limits(cls) -> pl.Expr:
        """The recommended spend lies between its limits."""
        return pl.col("spend_recommended_cents").is_between("spend_min_cents", "spend_max_cents")


class BudgetTotals(dy.Schema):
    """What the plan spends and earns a day, beside today's spend. Grain: scenario, scope, channel.

    Means over all days. Intervals are of the sums themselves, not sums of intervals. Refused cells are in:
    they spend and earn the same either way, so the gain is without them. The shop's row has channel `all`.
    """

    run_id = columns.run_id
    as_of = columns.as_of
    scenario = columns.scenario
    scope = columns.budget_scope
    channel = columns.channel
    n_cells = columns.n_cells
    n_moved = columns.n_moved
    n_at_limit = columns.n_at_limit
    n_refused = columns.n_refused
    daily_spend_current_cents = columns.daily_spend_current_cents
    daily_spend_recommended_cents = columns.daily_spend_recommended_cents
    daily_revenue_current_cents = columns.daily_revenue_current_cents
    daily_revenue_current_lower_cents = columns.daily_revenue_current_lower_cents
    daily_revenue_current_upper_cents = columns.daily_revenue_current_upper_cents
    daily_revenue_expected_cents = columns.daily_revenue_expected_cents
    daily_revenue_lower_cents = columns.daily_revenue_lower_cents
    daily_revenue_upper_cents = columns.daily_revenue_upper_cents
    gain_cents = columns.gain_cents
    gain_lower_cents = columns.gain_lower_cents
    gain_upper_cents = columns.gain_upper_cents
    move_limit = columns.move_limit
    is_cautious = columns.is_cautious
    logged_until = columns.logged_until

    @dy.rule()
    def gain_is_the_difference(cls) -> pl.Expr:
        """The gain is expected less current revenue."""
        difference = pl.col("daily_revenue_expected_cents") - pl.col("daily_revenue_current_cents")
        return pl.col("gain_cents") == difference

    @dy.rule()
    def gain_is_inside_its_interval(cls) -> pl.Expr:
        """Lower end, gain and upper end come in this order."""
        return pl.col("gain_cents").is_between("gain_lower_cents", "gain_upper_cents")


class BudgetBacktest(dy.Schema):
    """What the days before would have predicted for weeks of the log. Grain: method, held_out_from.

    Each week is predicted from its own spend; only cells count that every method can predict.
    """

    run_id = columns.run_id
    as_of = columns.as_of
    method = columns.backtest_method
    held_out_from = columns.held_out_from
    held_out_to = columns.held_out_to
    n_cells = columns.n_cells
    predicted_revenue_cents = columns.predicted_revenue_cents
    earned_revenue_cents = columns.earned_revenue_cents
    miss_share = columns.miss_share
    cell_miss_share = columns.cell_miss_share
