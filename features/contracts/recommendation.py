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
