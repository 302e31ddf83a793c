"""Advertising: which ads were shown, and which creative to show whom tomorrow."""

import dataframely as dy

from features.contracts import columns
from features.contracts.columns import optional


class AdImpressions(dy.Schema):
    """One ad shown once. Grain: ad_impression_id."""

    ad_impression_id = columns.ad_impression_id
    shown_at = columns.shown_at
    user_id = optional(columns.user_id)
    campaign_id = columns.campaign_id
    channel = columns.channel
    creative_id = columns.creative_id
    cost_cents = columns.cost_cents
    propensity = optional(columns.propensity)
    is_clicked = columns.is_clicked
    conversions = columns.conversions
    conversion_value_cents = columns.conversion_value_cents


class AdTargeting(dy.Schema):
    """Which creative to show whom. Grain: segment_id, campaign_id, channel, creative_id."""

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
    evidence_level = columns.evidence_level
