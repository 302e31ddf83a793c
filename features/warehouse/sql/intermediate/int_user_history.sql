-- int_user_history: one row per round with what its user had done strictly before it.
-- grain: domain, round_id
-- reads: stg_impressions, stg_ad_impressions, stg_events, stg_purchases
-- units: counts; days_since_last_visit in days since the user's last other visit began
-- A round without user has counts of zero and no last visit. A visit is known from its first moment, and
-- the visit that the round belongs to is not its own past.
WITH rounds AS (
    SELECT 'recommendation' AS domain, impression_id AS round_id, user_key, session_id, shown_at AS decided_at
    FROM stg_impressions
    UNION ALL
    SELECT 'advertising', ad_impression_id, user_key, NULL, shown_at
    FROM stg_ad_impressions
),
acts AS (
    SELECT
        user_key, session_id, occurred_at AS acted_at,
        event_type = 'view' AS is_view, event_type = 'click' AS is_click, false AS is_purchase
    FROM stg_events
    WHERE user_key IS NOT NULL
    UNION ALL
    SELECT user_key, session_id, ordered_at, false, false, true
    FROM stg_purchases
    WHERE user_key IS NOT NULL
),
moments AS (
    SELECT
        user_key,
        acted_at,
        count_if(is_view) AS n_views,
        count_if(is_click) AS n_clicks,
        count_if(is_purchase) AS n_purchases
    FROM acts
    GROUP BY user_key, acted_at
),
totals AS (
    SELECT
        user_key,
        acted_at,
        sum(n_views) OVER until_then AS n_views,
        sum(n_clicks) OVER until_then AS n_clicks,
        sum(n_purchases) OVER until_then AS n_purchases
    FROM moments
    WINDOW until_then AS (PARTITION BY user_key ORDER BY acted_at ROWS UNBOUNDED PRECEDING)
),
visits AS (
    SELECT user_key, session_id, min(began_at) AS began_at
    FROM (
        SELECT user_key, session_id, acted_at AS began_at FROM acts
        UNION ALL
        SELECT user_key, session_id, shown_at FROM stg_impressions WHERE user_key IS NOT NULL
    )
    GROUP BY user_key, session_id
),
visit_starts AS (
    SELECT DISTINCT user_key, began_at FROM visits
),
rounds_in_visits AS (
    SELECT rounds.*, coalesce(visits.began_at, rounds.decided_at) AS visit_began_at
    FROM rounds
    LEFT JOIN visits USING (user_key, session_id)
),
-- a strict inequality in both: what happened at the very moment of the decision was not known to it
rounds_with_acts AS (
    SELECT rounds.*, totals.n_views, totals.n_clicks, totals.n_purchases
    FROM rounds_in_visits AS rounds
    ASOF LEFT JOIN totals ON rounds.user_key = totals.user_key AND rounds.decided_at > totals.acted_at
)
SELECT
    rounds.domain,
    rounds.round_id,
    CAST(coalesce(rounds.n_views, 0) AS BIGINT) AS n_views_before,
    CAST(coalesce(rounds.n_clicks, 0) AS BIGINT) AS n_clicks_before,
    CAST(coalesce(rounds.n_purchases, 0) AS BIGINT) AS n_purchases_before,
    date_diff('microsecond', visit_starts.began_at, rounds.decided_at) / 86_400e6 AS days_since_last_visit
FROM rounds_with_acts AS rounds
ASOF LEFT JOIN visit_starts
    ON rounds.user_key = visit_starts.user_key AND rounds.visit_began_at > visit_starts.began_at
