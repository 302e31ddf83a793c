-- int_attributed_rewards: one row per impression with what came of it inside the attribution window.
-- grain: impression_id
-- reads: stg_impressions, stg_events, stg_purchases
-- units: money in cents; the window is attribution_hours from shown_at, both ends included
-- A click names its impression. A cart or an order is credited to one impression at most: the one whose
-- click on the same item, by the same user or in the same session, came last before it.
WITH clicked AS (
    SELECT
        impressions.impression_id,
        impressions.item_id,
        impressions.user_key,
        impressions.session_id,
        impressions.shown_at + to_hours(getvariable('attribution_hours')) AS window_ends_at,
        min(events.occurred_at) AS clicked_at
    FROM stg_impressions AS impressions
    JOIN stg_events AS events USING (impression_id)
    WHERE events.event_type = 'click'
        AND events.occurred_at
            BETWEEN impressions.shown_at AND impressions.shown_at + to_hours(getvariable('attribution_hours'))
    GROUP BY ALL
),
acts AS (
    SELECT
        'cart' AS kind, event_id AS act_id, 1 AS line, occurred_at AS acted_at, user_key, session_id, item_id,
        0 AS revenue_cents
    FROM stg_events
    WHERE event_type = 'add_to_cart'
    UNION ALL
    SELECT
        'order', order_id, line, ordered_at, user_key, session_id, item_id, quantity * price_cents
    FROM stg_purchases
    WHERE NOT is_cancelled
),
-- two joins and not one with OR, which would compare every act with every click
candidates AS (
    SELECT acts.kind, acts.act_id, acts.line, acts.acted_at, acts.revenue_cents, clicked.*
    FROM acts JOIN clicked USING (user_key, item_id)
    UNION
    SELECT acts.kind, acts.act_id, acts.line, acts.acted_at, acts.revenue_cents, clicked.*
    FROM acts JOIN clicked USING (session_id, item_id)
),
credited AS (
    SELECT impression_id, kind, revenue_cents
    FROM candidates
    WHERE acted_at BETWEEN clicked_at AND window_ends_at
    -- a tie goes the same way every night
    QUALIFY row_number() OVER (PARTITION BY kind, act_id, line ORDER BY clicked_at DESC, impression_id) = 1
),
outcomes AS (
    SELECT
        impression_id,
        bool_or(kind = 'cart') AS is_added_to_cart,
        bool_or(kind = 'order') AS is_purchased,
        CAST(sum(revenue_cents) AS BIGINT) AS revenue_cents
    FROM credited
    GROUP BY impression_id
)
SELECT
    impressions.impression_id,
    clicked.impression_id IS NOT NULL AS is_clicked,
    coalesce(outcomes.is_added_to_cart, false) AS is_added_to_cart,
    coalesce(outcomes.is_purchased, false) AS is_purchased,
    coalesce(outcomes.revenue_cents, 0) AS revenue_cents
FROM stg_impressions AS impressions
LEFT JOIN clicked USING (impression_id)
LEFT JOIN outcomes USING (impression_id)
