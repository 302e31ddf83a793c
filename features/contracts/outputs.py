"""What comes out: the contract of each published table (DESIGN: tables).

The table is the interface: `offline_rl` and `features` fill these, `reports` reads nothing else.
"""

import dataframely as dy
import polars as pl

from features.areas import AREAS
from features.contracts import columns
from features.contracts.columns import optional

# The one column that stands here and not in columns.py: what it may hold follows from the list of areas.
DOMAIN = dy.Enum([area.name for area in AREAS], description="area of decision")


class PolicyValues(dy.Schema):
    """What each policy is worth; `true_value` in simulated shops only.

    Grain: domain, segment_id, policy, estimator. The interval is null where the holdout has one user: what
    another one would have done is not known.
    """

    run_id = columns.run_id
    domain = DOMAIN
    segment_id = columns.segment_id
    policy = columns.policy
    estimator = columns.estimator
    value = columns.value
    lower = optional(columns.lower)
    upper = optional(columns.upper)
    n_rounds = columns.n_rounds
    n_users = columns.n_users
    ess = columns.ess
    mean_weight = columns.mean_weight
    max_weight = columns.max_weight
    supported_share = columns.supported_share
    interval_method = columns.interval_method
    interval_codes = columns.interval_codes
    interval_findings = columns.interval_findings
    true_value = optional(columns.true_value)


class Verdicts(dy.Schema):
    """What the gate decided. Grain: domain, segment_id.

    For `all` the difference is that of what would serve, segments that keep today's policy included, against
    the strongest baseline. For a segment it is the candidate's against what serves today, drawn towards the
    mean of all segments, and harm_probability says how likely it is below zero; holm_p_value is of the
    segment's own difference, null where too few users have an informative reward.
    difference, its interval and the baseline's value are null where the log can't identify them, and
    discounted_difference and discounted_upper where nothing is promoted, or an interval lies above its value.
    """

    run_id = columns.run_id
    domain = DOMAIN
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
    evidence_level = columns.evidence_level
    verdict = columns.verdict
    harm_probability = optional(columns.harm_probability)
    holm_p_value = optional(columns.holm_p_value)
    reasons = columns.reasons
    reason_codes = columns.reason_codes
    findings = columns.findings

    @dy.rule()
    def only_logged_propensities_or_an_experiment_promote(cls) -> pl.Expr:
        """What stands on estimated propensities is to be tested at most."""
        proves = pl.col("evidence_level").is_in(["logged", "experiment"])
        return proves | ~pl.col("verdict").is_in(["promote", "served"])


class Sensitivity(dy.Schema):
    """How far a candidate's lead stands where propensities are estimated, by the marginal sensitivity model.

    Grain: domain, policy, other, odds_factor. Something hidden may have driven both what was shown and what
    was rewarded; then the true odds of what was shown are off. For each factor by which they may be: the
    least and the largest difference, by self-normalized importance sampling, and an interval that holds
    chance too. Against another policy than the logging policy each value is taken at its own worst, which is
    cautious.
    """

    run_id = columns.run_id
    domain = DOMAIN
    policy = columns.policy
    other = columns.compared_policy
    odds_factor = columns.odds_factor
    bound_lower = optional(columns.bound_lower)
    bound_upper = optional(columns.bound_upper)
    lower = optional(columns.lower)
    upper = optional(columns.upper)
    tipping_factor = optional(columns.tipping_factor)
    n_rounds = columns.n_judged
    ess = columns.ess


class EstimatedPropensities(dy.Schema):
    """How often actions were chosen beside the probabilities that were estimated for them, in bins.

    Grain: domain, probability_above. Rounds are in the estimate of models that did not see their user. Where
    hardly anything was chosen at small probabilities, the log says little of what it seldom shows.
    """

    run_id = columns.run_id
    domain = DOMAIN
    probability_above = columns.probability_above
    probability_up_to = columns.probability_up_to
    n_pairs = columns.n_pairs
    n_promised = columns.n_promised
    n_chosen = columns.n_chosen


class SegmentTasks(dy.Schema):
    """What each segment brought to learning. Grain: domain, segment_id."""

    run_id = columns.run_id
    domain = DOMAIN
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
    reason_code = columns.task_reason_code
    findings = columns.findings


class LearningCurves(dy.Schema):
    """How learning went. Grain: domain, learner, step.

    `seconds` is the only published column that differs between equal runs; `loss` is null at step 0.
    """

    run_id = columns.run_id
    domain = DOMAIN
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
    domain = DOMAIN
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
    domain = DOMAIN
    learner = columns.learner
    curve = columns.curve
    amount = optional(columns.amount)
    value = columns.mean_value
    true_value = optional(columns.mean_true_value)


class DataQuality(dy.Schema):
    """What was loaded and what was not, and why. Grain: source_name, rule."""

    run_id = columns.run_id
    source_name = columns.source_name
    rule = columns.rule
    n_rows = columns.n_rows
    n_loaded = columns.n_loaded
    n_rejected = columns.n_rejected
    reason = columns.reason
    reason_codes = columns.reason_codes
    findings = columns.findings
    example = optional(columns.example)


class ArmChecks(dy.Schema):
    """What an arm earned beside its estimate from another arm's log, where several policies served at once.

    Grain: domain, surface, policy_version, logged_by. An arm is its distribution of items in each slot.
    """

    run_id = columns.run_id
    domain = DOMAIN
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
    reason_codes = columns.reason_codes
    findings = columns.findings
    n_rounds = columns.n_rounds
    ess = columns.ess
    mean_weight = columns.mean_weight
    interval_method = columns.interval_method
    interval_codes = columns.interval_codes
    interval_findings = columns.interval_findings


OF_ALL_AREAS: dict[str, type[dy.Schema]] = {
    "out_policy_values": PolicyValues,
    "out_verdicts": Verdicts,
    "out_sensitivity": Sensitivity,
    "out_estimated_propensities": EstimatedPropensities,
    "out_segment_tasks": SegmentTasks,
    "out_learning_curves": LearningCurves,
    "out_learner_comparisons": LearnerComparisons,
    "out_adaptation_curves": AdaptationCurves,
    "out_arm_checks": ArmChecks,
    "out_data_quality": DataQuality,
}

_OF_AREAS = {name: table for area in AREAS for name, table in area.tables.items()}

OUTPUTS: dict[str, type[dy.Schema]] = {
    name: table.contract for name, table in _OF_AREAS.items()
} | OF_ALL_AREAS

OCCASIONAL = frozenset(
    {
        "out_learner_comparisons",
        "out_adaptation_curves",
        "out_arm_checks",
        "out_sensitivity",
        "out_estimated_propensities",
        *(name for name, table in _OF_AREAS.items() if table.is_occasional),
    }
)
"""Tables that no night owes rows of: there is not always an occasion for them."""
