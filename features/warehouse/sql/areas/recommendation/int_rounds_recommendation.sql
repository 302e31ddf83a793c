-- int_rounds_recommendation: one row per item shown once, with its reward.
-- grain: round_id
-- reads: stg_impressions, int_attributed_rewards
-- units: money in cents, times in UTC, propensity in (0, 1]
-- kind: view
SELECT
    impression_id AS round_id,
    impressions.shown_at AS decided_at,
    impressions.user_key,
    impressions.session_id,
    impressions.surface,
    impressions.slot,
    impressions.item_id AS action_id,
    impressions.propensity,
    impressions.policy_version,
    impressions.candidate_set_id,
    rewards.is_clicked,
    rewards.is_added_to_cart,
    rewards.is_purchased AS is_converted,
    rewards.revenue_cents,
    rewards.margin_cents,
    impressions.context,
    -- ties share the rank of the first, so this counts the strictly earlier ones
    rank() OVER (PARTITION BY session_id ORDER BY shown_at) - 1 AS n_rounds_in_session_before
FROM stg_impressions AS impressions
JOIN int_attributed_rewards AS rewards USING (impression_id)
