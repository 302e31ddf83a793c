-- int_attributed_rewards: one row per impression with what came of it inside the attribution window.
-- grain: impression_id
-- reads: stg_impressions, stg_events, stg_purchases
-- units: money in cents; the window is attribution_hours from shown_at, both ends included
-- A click names its impression. A cart or an order is credited to one impression at most: the one whose
-- click on the same item, by the same user or in the same session, came last before it.
-- A return inside the window takes back what it returns: a cancelled line of its own, later and of the same item
-- by the same user or in the same session, counts against the latest order before it, piece by piece.
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
        1 AS quantity, 0 AS price_cents
    FROM stg_events
    WHERE event_type = 'add_to_cart'
    UNION ALL
    SELECT
        'order', order_id, line, ordered_at, user_key, session_id, item_id, quantity, price_cents
    FROM stg_purchases
    WHERE NOT is_cancelled
),
returns AS (
    SELECT
        order_id AS return_id, line AS return_line, ordered_at AS returned_at, user_key, session_id, item_id,
        quantity AS n_returned
    FROM stg_purchases
    WHERE is_cancelled
),
returned_orders AS (
    SELECT acts.act_id, acts.line, acts.acted_at, returns.* FROM acts JOIN returns USING (user_key, item_id)
    WHERE kind = 'order' AND acted_at < returned_at
    UNION
    SELECT acts.act_id, acts.line, acts.acted_at, returns.* FROM acts JOIN returns USING (session_id, item_id)
    WHERE kind = 'order' AND acted_at < returned_at
),
taken_back AS (
    SELECT act_id, line, returned_at, n_returned
    FROM returned_orders
    QUALIFY row_number() OVER (
        PARTITION BY return_id, return_line ORDER BY acted_at DESC, act_id, line
    ) = 1
),
-- two joins and not one with OR, which would compare every act with every click
candidates AS (
    SELECT acts.kind, acts.act_id, acts.line, acts.acted_at, acts.quantity, acts.price_cents, clicked.*
    FROM acts JOIN clicked USING (user_key, item_id)
    UNION
    SELECT acts.kind, acts.act_id, acts.line, acts.acted_at, acts.quantity, acts.price_cents, clicked.*
    FROM acts JOIN clicked USING (session_id, item_id)
),
credited AS (
    SELECT impression_id, kind, act_id, line, quantity, price_cents, window_ends_at
    FROM candidates
    WHERE acted_at BETWEEN clicked_at AND window_ends_at
    -- a tie goes the same way every night
    QUALIFY row_number() OVER (PARTITION BY kind, act_id, line ORDER BY clicked_at DESC, impression_id) = 1
),
kept AS (
    SELECT
        impression_id,
        kind,
        price_cents,
        greatest(quantity - coalesce(sum(n_returned) FILTER (returned_at <= window_ends_at), 0), 0) AS n_kept
    FROM credited
    LEFT JOIN taken_back ON kind = 'order' AND credited.act_id = taken_back.act_id AND credited.line = taken_back.line
    GROUP BY impression_id, kind, credited.act_id, credited.line, quantity, price_cents
),
outcomes AS (
    SELECT
        impression_id,
        bool_or(kind = 'cart') AS is_added_to_cart,
        bool_or(kind = 'order' AND n_kept > 0) AS is_purchased,
        CAST(sum(n_kept * price_cents) AS BIGINT) AS revenue_cents
    FROM kept
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
