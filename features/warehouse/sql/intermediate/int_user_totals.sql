-- int_user_totals: one row per moment at which a user did something, with all the user had done until then.
-- grain: user_number, acted_at
-- reads: stg_events, stg_purchases, int_user_numbers
-- units: counts, money in cents, times in UTC; what happened at acted_at itself is included
-- Moments are distinct, or an as-of join would pick one of several rows of the same moment.
WITH acts AS (
    SELECT
        user_key,
        occurred_at AS acted_at,
        event_type = 'view' AS is_view,
        event_type = 'click' AS is_click,
        event_type = 'add_to_cart' AS is_cart,
        false AS is_purchase,
        0 AS spend_cents
    FROM stg_events
    WHERE event_type IN ('view', 'click', 'add_to_cart')
    UNION ALL
    -- cancelled later or not: at the moment of the order nobody knew
    SELECT user_key, ordered_at, false, false, false, true, quantity * price_cents
    FROM stg_purchases
),
moments AS (
    SELECT
        user_number,
        acted_at,
        CAST(count_if(is_view) AS INTEGER) AS n_views,
        CAST(count_if(is_click) AS INTEGER) AS n_clicks,
        CAST(count_if(is_cart) AS INTEGER) AS n_carts,
        CAST(count_if(is_purchase) AS INTEGER) AS n_purchases,
        CAST(sum(spend_cents) AS BIGINT) AS spend_cents
    FROM acts
    JOIN int_user_numbers USING (user_key)
    GROUP BY user_number, acted_at
)
SELECT
    user_number,
    acted_at,
    CAST(sum(n_views) OVER until_then AS INTEGER) AS n_views,
    CAST(sum(n_clicks) OVER until_then AS INTEGER) AS n_clicks,
    CAST(sum(n_carts) OVER until_then AS INTEGER) AS n_carts,
    CAST(sum(n_purchases) OVER until_then AS INTEGER) AS n_purchases,
    CAST(sum(spend_cents) OVER until_then AS BIGINT) AS spend_cents,
    max(acted_at) FILTER (n_clicks > 0) OVER until_then AS clicked_at,
    max(acted_at) FILTER (n_purchases > 0) OVER until_then AS purchased_at
FROM moments
WINDOW until_then AS (PARTITION BY user_number ORDER BY acted_at ROWS UNBOUNDED PRECEDING)
