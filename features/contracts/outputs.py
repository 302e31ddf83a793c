"""What comes out: the contract of each published table (DESIGN: tables).

The table is the interface: `offline_rl` and `features` fill these, `reports` reads nothing else.
"""

import dataframely as dy
import polars as pl

from features.contracts import columns
from features.contracts.columns import optional


class Recommendations(dy.Schema):
    """What to show tomorrow.  Grain: user_key, surface, slot_rank."""

    run_id = columns.run_id
    as_of = columns.as_of
    segment_id = columns.segment_id
    user_key = columns.user_key
    surface = columns.surface
    slot_rank = columns.slot_rank
    item_id = columns.item_id
    item_name = optional(columns.item_name)
    score = columns.score
    propensity = columns.propensity
    slate_log_probability = columns.slate_log_probability
    score_lower = columns.score_lower
    score_upper = columns.score_upper
    is_exploration = columns.is_exploration
    reason_code = columns.reason_code
    reason_text = columns.reason_text
    rule_ids = columns.rule_ids
    fallback_level = columns.fallback_level
    policy_version = columns.policy_version

    @dy.rule()
    def score_is_inside_its_interval(cls) -> pl.Expr:
        """Lower end, score and upper end come in this order."""
        return pl.col("score").is_between("score_lower", "score_upper")


class SegmentDistributions(dy.Schema):
    """What a visitor of a segment is shown tomorrow, where logs know no users: then no user has a slate.

    Grain: segment_id, surface, slot_rank, item_id.
    """

    run_id = columns.run_id
    as_of = columns.as_of
    segment_id = columns.segment_id
    surface = columns.surface
    slot_rank = columns.slot_rank
    item_id = columns.item_id
    item_name = optional(columns.item_name)
    probability = columns.item_probability
    score = columns.score
    score_lower = columns.score_lower
    score_upper = columns.score_upper
    reason_code = columns.reason_code
    reason_text = columns.reason_text
    fallback_level = columns.fallback_level
    policy_version = columns.policy_version

    @dy.rule()
    def score_is_inside_its_interval(cls) -> pl.Expr:
        """Lower end, score and upper end come in this order."""
        return pl.col("score").is_between("score_lower", "score_upper")

    @dy.rule()
    def probabilities_add_up_to_one(cls) -> pl.Expr:
        """A slot that is filled shows one of its items."""
        total = pl.col("probability").sum().over("segment_id", "surface", "slot_rank")
        return (total - 1.0).abs() < 1e-6


class AdTargeting(dy.Schema):
    """Which creative to show whom.  Grain: segment_id, campaign_id, channel, creative_id."""

    run_id = columns.run_id
    segment_id = columns.segment_id
    campaign_id = columns.campaign_id
    channel = columns.channel
    creative_id = columns.creative_id
    probability = columns.probability
    score = columns.score
    ess = columns.ess
    fallback_level = columns.fallback_level
    policy_version = columns.policy_version


class BudgetAllocation(dy.Schema):
    """Tomorrow's spend.  Grain: scenario, campaign_id, channel, segment_id.

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
    certified_gap = columns.certified_gap

    @dy.rule()
    def spend_keeps_its_limits(cls) -> pl.Expr:
        """The recommended spend lies between its limits."""
        return pl.col("spend_recommended_cents").is_between("spend_min_cents", "spend_max_cents")


class BudgetTotals(dy.Schema):
    """What the plan spends and earns a day, beside today's spend.  Grain: scenario, scope, channel.

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
    """What the days before would have predicted for weeks of the log.  Grain: method, held_out_from.

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


class PolicyValues(dy.Schema):
    """What each policy is worth; `true_value` in simulated shops only.

    Grain: domain, segment_id, policy, estimator.
    """

    run_id = columns.run_id
    domain = columns.domain
    segment_id = columns.segment_id
    policy = columns.policy
    estimator = columns.estimator
    value = columns.value
    lower = columns.lower
    upper = columns.upper
    n_rounds = columns.n_rounds
    n_users = columns.n_users
    ess = columns.ess
    mean_weight = columns.mean_weight
    max_weight = columns.max_weight
    supported_share = columns.supported_share
    interval_method = columns.interval_method
    true_value = optional(columns.true_value)


class Verdicts(dy.Schema):
    """What the gate decided.  Grain: domain, segment_id.

    For `all` the difference is that of what would serve, segments that keep today's policy included, against
    the strongest baseline. For a segment it is the candidate's against what serves today, drawn towards the
    mean of all segments, and harm_probability says how likely it is below zero; holm_p_value is of the
    segment's own difference, null where too few users tell of the reward.
    difference, its interval and the baseline's value are null where the log can't identify them, and
    discounted_difference and discounted_upper where nothing is promoted, or an interval lies above its value.
    """

    run_id = columns.run_id
    domain = columns.domain
    segment_id = columns.segment_id
    candidate = columns.candidate
    champion = columns.champion
    baseline = columns.baseline
    difference = optional(columns.difference)
    lower = optional(columns.lower)
    upper = optional(columns.upper)
    discounted_difference = optional(columns.discounted_difference)
    discounted_upper = optional(columns.discounted_upper)
    baseline_value = optional(columns.baseline_value)
    n_rounds = columns.n_judged
    ess = optional(columns.ess)
    judged_from = columns.judged_from
    judged_to = columns.judged_to
    n_origins = columns.n_origins
    split_by = columns.split_by
    verdict = columns.verdict
    harm_probability = optional(columns.harm_probability)
    holm_p_value = optional(columns.holm_p_value)
    reasons = columns.reasons


class SegmentTasks(dy.Schema):
    """What each segment brought to learning.  Grain: domain, segment_id."""

    run_id = columns.run_id
    domain = columns.domain
    segment_id = columns.segment_id
    n_support = columns.n_support
    n_query = columns.n_query
    n_holdout = columns.n_holdout
    n_users = columns.n_users
    split = optional(columns.split)
    support_until = optional(columns.support_until)
    query_until = optional(columns.query_until)
    status = columns.task_status
    reason = columns.reason


class LearningCurves(dy.Schema):
    """How learning went.  Grain: domain, learner, step.

    `seconds` is the only published column that differs between equal runs; `loss` is null at step 0.
    """

    run_id = columns.run_id
    domain = columns.domain
    learner = columns.learner
    step = columns.step
    loss = optional(columns.loss)
    validation_value = columns.validation_value
    zero_shot_value = columns.zero_shot_value
    seconds = columns.seconds


FEWEST_SEGMENTS = 20
"""With fewer segments a difference of learners is reported and nothing is claimed."""


class LearnerComparisons(dy.Schema):
    """What a learner earns over plain ones on segments that taught no learner.

    Grain: domain, learner, baseline. Its interval and p-values are null where there is a single segment.
    """

    run_id = columns.run_id
    domain = columns.domain
    learner = columns.learner
    baseline = columns.compared_baseline
    n_segments = columns.n_segments
    difference = columns.mean_difference
    lower = optional(columns.lower)
    upper = optional(columns.upper)
    p_value = optional(columns.p_value)
    holm_p_value = optional(columns.holm_p_value)
    is_claimed = columns.is_claimed

    @dy.rule()
    def a_claim_has_segments_and_lies_above_zero(cls) -> pl.Expr:
        """What is claimed has enough segments and an interval above zero."""
        return ~pl.col("is_claimed") | ((pl.col("n_segments") >= FEWEST_SEGMENTS) & (pl.col("lower") > 0))


class AdaptationCurves(dy.Schema):
    """What a learner is worth on the same segments with less support, or with other gradient steps.

    Grain: domain, learner, curve, amount. `true_value` in simulated shops only. A learner that does not adapt
    has no rows; one that takes no gradient steps has no curve of them.
    """

    run_id = columns.run_id
    domain = columns.domain
    learner = columns.learner
    curve = columns.curve
    amount = optional(columns.amount)
    value = columns.mean_value
    true_value = optional(columns.mean_true_value)


class DataQuality(dy.Schema):
    """What was loaded and what was not, and why.  Grain: source_name, rule."""

    run_id = columns.run_id
    source_name = columns.source_name
    rule = columns.rule
    n_rows = columns.n_rows
    n_loaded = columns.n_loaded
    n_rejected = columns.n_rejected
    reason = columns.reason
    example = optional(columns.example)


class ArmChecks(dy.Schema):
    """What an arm earned beside its estimate from another arm's log, where several policies served at once.

    Grain: domain, surface, policy_version, logged_by. An arm is its distribution of items in each slot.
    """

    run_id = columns.run_id
    domain = columns.domain
    surface = columns.surface
    policy_version = columns.policy_version
    logged_by = columns.logged_by
    estimator = columns.estimator
    value = columns.value
    lower = columns.lower
    upper = columns.upper
    observed_value = columns.observed_value
    observed_lower = columns.observed_lower
    observed_upper = columns.observed_upper
    is_covered = columns.is_covered
    is_trusted = columns.is_trusted
    reasons = columns.reasons
    n_rounds = columns.n_rounds
    ess = columns.ess
    mean_weight = columns.mean_weight
    interval_method = columns.interval_method


OUTPUTS: dict[str, type[dy.Schema]] = {
    "out_recommendations": Recommendations,
    "out_segment_distributions": SegmentDistributions,
    "out_ad_targeting": AdTargeting,
    "out_budget_allocation": BudgetAllocation,
    "out_budget_totals": BudgetTotals,
    "out_budget_backtest": BudgetBacktest,
    "out_policy_values": PolicyValues,
    "out_verdicts": Verdicts,
    "out_segment_tasks": SegmentTasks,
    "out_learning_curves": LearningCurves,
    "out_learner_comparisons": LearnerComparisons,
    "out_adaptation_curves": AdaptationCurves,
    "out_arm_checks": ArmChecks,
    "out_data_quality": DataQuality,
}

OCCASIONAL = frozenset(
    {
        "out_segment_distributions",
        "out_learner_comparisons",
        "out_adaptation_curves",
        "out_arm_checks",
        "out_budget_backtest",
    }
)
"""Tables that no night owes rows of: there is not always an occasion for them."""
