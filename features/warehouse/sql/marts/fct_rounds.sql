-- fct_rounds: one row per logged decision, with its reward and what was known when it was made.
-- grain: domain, round_id
-- reads: stg_impressions, stg_ad_impressions, int_attributed_rewards, int_user_numbers, int_user_history
-- units: money in cents, times in UTC, propensity in (0, 1]; surface is the channel of an ad
-- A round without user has no history: counts of zero, and never visited, clicked or bought.
-- A round is_mature when its attribution window had ended by the end of the night's date.
WITH decisions AS (
    SELECT
        'recommendation' AS domain,
        impression_id AS round_id,
        impressions.shown_at AS decided_at,
        impressions.user_key,
        impressions.session_id,
        impressions.surface,
        impressions.slot,
        impressions.item_id AS action_id,
        NULL AS campaign_id,
        impressions.propensity,
        impressions.policy_version,
        impressions.candidate_set_id,
        rewards.is_clicked,
        rewards.is_added_to_cart,
        rewards.is_purchased AS is_converted,
        rewards.revenue_cents,
        0 AS cost_cents,
        impressions.context,
        -- ties share the rank of the first, so this counts the strictly earlier ones
        rank() OVER (PARTITION BY session_id ORDER BY shown_at) - 1 AS n_rounds_in_session_before
    FROM stg_impressions AS impressions
    JOIN int_attributed_rewards AS rewards USING (impression_id)
    UNION ALL
    SELECT
        'advertising',
        ad_impression_id,
        shown_at,
        user_key,
        NULL,
        channel,
        1,
        creative_id,
        campaign_id,
        propensity,
        NULL,
        NULL,
        is_clicked,
        NULL,
        conversions > 0,
        conversion_value_cents,
        cost_cents,
        NULL,
        0
    FROM stg_ad_impressions
)
SELECT
    decisions.round_id,
    decisions.domain,
    decisions.decided_at,
    CAST(decisions.decided_at AT TIME ZONE 'UTC' AS DATE) AS decided_date,
    decisions.user_key,
    decisions.session_id,
    decisions.surface,
    decisions.slot,
    decisions.action_id,
    decisions.campaign_id,
    decisions.propensity,
    decisions.policy_version,
    decisions.candidate_set_id,
    decisions.is_clicked,
    decisions.is_added_to_cart,
    decisions.is_converted,
    decisions.revenue_cents,
    decisions.cost_cents,
    decisions.decided_at + to_hours(getvariable('attribution_hours'))
        < CAST(getvariable('as_of') + 1 AS TIMESTAMP) AT TIME ZONE 'UTC' AS is_mature,
    decisions.context,
    coalesce(history.n_views_before, 0) AS n_views_before,
    coalesce(history.n_clicks_before, 0) AS n_clicks_before,
    coalesce(history.n_carts_before, 0) AS n_carts_before,
    coalesce(history.n_purchases_before, 0) AS n_purchases_before,
    coalesce(history.spend_cents_before, 0) AS spend_cents_before,
    coalesce(history.n_views_last_7_days, 0) AS n_views_last_7_days,
    coalesce(history.n_clicks_last_7_days, 0) AS n_clicks_last_7_days,
    coalesce(history.n_carts_last_7_days, 0) AS n_carts_last_7_days,
    coalesce(history.n_purchases_last_7_days, 0) AS n_purchases_last_7_days,
    decisions.n_rounds_in_session_before,
    history.days_since_last_visit,
    history.days_since_last_click,
    history.days_since_last_purchase
FROM decisions
LEFT JOIN int_user_numbers AS users USING (user_key)
LEFT JOIN int_user_history AS history
    ON users.user_number = history.user_number
    AND decisions.session_id IS NOT DISTINCT FROM history.session_id
    AND decisions.decided_at = history.decided_at
ORDER BY decisions.domain, decisions.decided_at, decisions.round_id
