"""Recommendation: what was shown, what could have been shown, and what to show tomorrow."""

import dataframely as dy
import polars as pl

from features.contracts import columns
from features.contracts.columns import optional


class Impressions(dy.Schema):
    """One item shown once, with the probability it had. Grain: impression_id."""

    impression_id = columns.impression_id
    shown_at = columns.shown_at
    user_id = optional(columns.user_id)
    session_id = columns.session_id
    surface = columns.surface
    slot = columns.slot
    item_id = columns.item_id
    propensity = optional(columns.propensity)
    policy_version = columns.policy_version
    run_id = optional(columns.served_run_id)
    candidate_set_id = optional(columns.candidate_set_id)
    context = optional(columns.context)


class CandidateSets(dy.Schema):
    """An item that could have been shown. Grain: candidate_set_id, item_id."""

    candidate_set_id = columns.candidate_set_id
    item_id = columns.item_id


class Recommendations(dy.Schema):
    """What to show tomorrow. Grain: user_key, surface, slot_rank.

    It has no findings of its own: the reason of a row is its segment's, repeated for every user and slot, so
    that a column of JSON would be most of the largest table. `reason_code` says which policy serves; the
    numbers behind that stand once in `out_verdicts.findings`, in the rows of the segment and of `all`.

    Where an experiment runs, `arm` is the user's, and `propensity` is that of the item given the arm: the
    probability of both together is propensity * arm_probability. A user of the candidate's arm is served by
    today's policy where the candidate has no list for the place.
    """

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
    score_lower = optional(columns.score_lower)
    score_upper = optional(columns.score_upper)
    is_exploration = columns.is_exploration
    reason_code = columns.reason_code
    reason_text = columns.reason_text
    rule_ids = columns.rule_ids
    fallback_level = columns.fallback_level
    policy_version = columns.policy_version
    evidence_level = columns.evidence_level
    arm = optional(columns.arm)
    arm_probability = optional(columns.arm_probability)

    @dy.rule()
    def an_arm_has_a_probability(cls) -> pl.Expr:
        """Whoever is in an arm of an experiment was assigned to it with a known probability."""
        return pl.col("arm").is_null() == pl.col("arm_probability").is_null()

    @dy.rule()
    def score_is_inside_its_interval(cls) -> pl.Expr:
        """Lower end, score and upper end come in this order."""
        return pl.col("score").is_between("score_lower", "score_upper") | pl.col("score_lower").is_null()

    @dy.rule()
    def only_a_ranker_s_score_has_no_interval(cls) -> pl.Expr:
        """A score has both ends, or none where it stands on no evidence but rankings."""
        is_unproven = pl.col("evidence_level") == "unproven"
        return (pl.col("score_lower").is_null() == is_unproven) & (
            pl.col("score_upper").is_null() == is_unproven
        )


class SegmentDistributions(dy.Schema):
    """What a visitor of a segment is shown tomorrow, where logs know no users: then no user has a slate.

    The numbers behind its reasons are in `out_verdicts.findings`, as those of `Recommendations` are.

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
    score_lower = optional(columns.score_lower)
    score_upper = optional(columns.score_upper)
    reason_code = columns.reason_code
    reason_text = columns.reason_text
    fallback_level = columns.fallback_level
    policy_version = columns.policy_version
    evidence_level = columns.evidence_level

    @dy.rule()
    def score_is_inside_its_interval(cls) -> pl.Expr:
        """Lower end, score and upper end come in this order."""
        return pl.col("score").is_between("score_lower", "score_upper") | pl.col("score_lower").is_null()

    @dy.rule()
    def probabilities_add_up_to_one(cls) -> pl.Expr:
        """A slot that is filled shows one of its items."""
        total = pl.col("probability").sum().over("segment_id", "surface", "slot_rank")
        return (total - 1.0).abs() < 1e-6


class RecommendationQuality(dy.Schema):
    """How well rankers foretold what users bought later, where nothing that was shown is logged.

    Evidence of the level `unproven`: a better metric is not a promise of more purchases. A ranker is chosen
    on the earlier window (validation) and serves if it beats popularity on the later one (test). The interval
    is null for coverage, which is of all users together, and the difference also for the baseline itself. The
    popularity rank of empty lists is null.

    Grain: domain, ranker, metric, cutoff, window_from.
    """

    run_id = columns.run_id
    domain = columns.ranking_domain
    ranker = columns.ranker
    metric = columns.ranking_metric
    cutoff = columns.cutoff
    value = optional(columns.metric_value)
    lower = optional(columns.metric_lower)
    upper = optional(columns.metric_upper)
    difference = optional(columns.metric_difference)
    difference_lower = optional(columns.metric_difference_lower)
    difference_upper = optional(columns.metric_difference_upper)
    n_users = columns.n_window_users
    n_cold_users = columns.n_cold_users
    window_from = columns.window_from
    window_until = columns.window_until
    is_chosen = columns.is_chosen

    @dy.rule()
    def value_is_inside_its_interval(cls) -> pl.Expr:
        """Lower end, value and upper end come in this order."""
        return pl.col("value").is_between("lower", "upper") | pl.col("lower").is_null()

    @dy.rule()
    def difference_is_inside_its_interval(cls) -> pl.Expr:
        """Lower end, difference and upper end come in this order."""
        inside = pl.col("difference").is_between("difference_lower", "difference_upper")
        return inside | pl.col("difference_lower").is_null()

    @dy.rule()
    def cold_users_are_users(cls) -> pl.Expr:
        """Users without history are among the users of the window."""
        return pl.col("n_cold_users") <= pl.col("n_users")

    @dy.rule()
    def window_has_a_length(cls) -> pl.Expr:
        """A window ends after it has begun."""
        return pl.col("window_from") < pl.col("window_until")


class Experiments(dy.Schema):
    """The experiment between the champion and a candidate that runs, or that has just ended.

    The difference is of means over all rounds of an arm's users, whatever was shown to them, since the first
    day after `started_on`. lower and upper are group-sequential: with the stated confidence the true
    difference is inside on all nights of the experiment, so that it may be looked at each night. The values
    are null without rounds.

    Grain: domain, experiment_id.
    """

    run_id = columns.run_id
    domain = columns.experiment_domain
    experiment_id = columns.experiment_id
    candidate = columns.candidate_version
    champion = optional(columns.champion_versions)
    started_on = columns.started_on
    day = columns.experiment_day
    share = columns.experiment_share
    n_users_candidate = columns.n_arm_users
    n_users_champion = columns.n_arm_users
    n_rounds_candidate = columns.n_arm_rounds
    n_rounds_champion = columns.n_arm_rounds
    value_candidate = optional(columns.arm_value)
    value_champion = optional(columns.arm_value)
    served_share = optional(columns.served_share)
    difference = optional(columns.arm_difference)
    lower = optional(columns.experiment_lower)
    upper = optional(columns.experiment_upper)
    confidence = columns.experiment_confidence
    status = columns.experiment_status
    reasons = columns.reasons
    reason_codes = columns.reason_codes
    findings = columns.findings

    @dy.rule()
    def difference_is_inside_its_interval(cls) -> pl.Expr:
        """Lower end, difference and upper end come in this order."""
        return pl.col("difference").is_between("lower", "upper") | pl.col("lower").is_null()

    @dy.rule()
    def what_was_decided_has_an_interval(cls) -> pl.Expr:
        """A promoted candidate's interval lies above zero, a rejected one's below."""
        return (
            pl.when(pl.col("status") == "promoted")
            .then(pl.col("lower") > 0)
            .when(pl.col("status") == "rejected")
            .then(pl.col("upper") < 0)
            .otherwise(pl.lit(True))
        )
