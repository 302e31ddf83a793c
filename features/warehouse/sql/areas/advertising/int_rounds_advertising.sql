-- int_rounds_advertising: one row per ad shown once, with its reward; surface is its channel.
-- grain: round_id
-- reads: stg_ad_impressions
-- units: money in cents, times in UTC, propensity in (0, 1]
-- kind: view
SELECT
    ad_impression_id AS round_id,
    shown_at AS decided_at,
    user_key,
    channel AS surface,
    creative_id AS action_id,
    campaign_id,
    propensity,
    is_clicked,
    conversions > 0 AS is_converted,
    conversion_value_cents AS revenue_cents,
    cost_cents
FROM stg_ad_impressions
