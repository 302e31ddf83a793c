-- int_attributed_rewards: one row per impression with what came of it inside the attribution window.
-- grain: impression_id
-- reads: stg_impressions, stg_events, stg_purchases, stg_returns, int_line_costs
-- units: money in cents; the window is attribution_hours from shown_at, both ends included
-- A click names its impression. A cart or an order is credited to one impression at most: the one whose
-- click on the same item, by the same user or in the same session, came last before it.
-- A return inside the window takes its pieces back, of the last order of the item by the same user (or in the same
-- session, of guests) first. A cancelled line never counted, whenever it was cancelled.
-- The margin is the revenue less what the kept pieces cost; null where no cost is known at all. A line without a
-- price adds to neither.
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
        1 AS quantity, 0 AS price_cents, 0 AS cost_cents
    FROM stg_events
    WHERE event_type = 'add_to_cart'
    UNION ALL
    SELECT
        'order', order_id, line, ordered_at, user_key, session_id, item_id, purchases.quantity,
        purchases.price_cents, costs.cost_cents
    FROM stg_purchases AS purchases
    JOIN int_line_costs AS costs USING (order_id, line)
    WHERE NOT is_cancelled
),
-- two joins and not one with OR, which would compare every act with every click
candidates AS (
    SELECT acts.kind, acts.act_id, acts.line, acts.acted_at, clicked.*
    FROM acts JOIN clicked USING (user_key, item_id)
    UNION
    SELECT acts.kind, acts.act_id, acts.line, acts.acted_at, clicked.*
    FROM acts JOIN clicked USING (session_id, item_id)
),
credited AS (
    SELECT impression_id, kind, act_id, line, acted_at, window_ends_at
    FROM candidates
    WHERE acted_at BETWEEN clicked_at AND window_ends_at
    -- a tie goes the same way every night
    QUALIFY row_number() OVER (PARTITION BY kind, act_id, line ORDER BY clicked_at DESC, impression_id) = 1
),
bought AS (
    SELECT act_id, line, acted_at, item_id, coalesce(user_key, 'session ' || session_id) AS buyer, quantity
    FROM acts
    WHERE kind = 'order'
),
given_back AS (
    SELECT
        bought.*,
        sum(returns.quantity) AS n_returned,
        max(returned_at) AS last_returned_at
    FROM credited
    JOIN bought USING (act_id, line, acted_at)
    JOIN stg_returns AS returns
        ON returns.item_id = bought.item_id
        AND coalesce(returns.user_key, 'session ' || returns.session_id) = bought.buyer
        AND returned_at > acted_at
        AND returned_at <= window_ends_at
    WHERE kind = 'order'
    GROUP BY ALL
),
-- what was bought between an order and the return is given back before it
taken_back AS (
    SELECT given_back.act_id, given_back.line, n_returned - coalesce(sum(later.quantity), 0) AS n_taken_back
    FROM given_back
    LEFT JOIN bought AS later
        ON later.buyer = given_back.buyer
        AND later.item_id = given_back.item_id
        AND (later.acted_at, later.act_id, later.line)
            > (given_back.acted_at, given_back.act_id, given_back.line)
        AND later.acted_at < last_returned_at
    GROUP BY given_back.act_id, given_back.line, n_returned
),
kept AS (
    SELECT
        impression_id,
        kind,
        price_cents,
        cost_cents,
        quantity - least(quantity, greatest(coalesce(n_taken_back, 0), 0)) AS n_kept
    FROM credited
    JOIN acts USING (kind, act_id, line, acted_at)
    LEFT JOIN taken_back ON kind = 'order' AND act_id = taken_back.act_id AND line = taken_back.line
),
outcomes AS (
    SELECT
        impression_id,
        bool_or(kind = 'cart') AS is_added_to_cart,
        bool_or(kind = 'order' AND n_kept > 0) AS is_purchased,
        CAST(sum(n_kept * price_cents) AS BIGINT) AS revenue_cents,
        CASE
            WHEN NOT bool_or(price_cents IS NOT NULL AND cost_cents IS NULL)
                THEN CAST(coalesce(sum(n_kept * (price_cents - cost_cents)), 0) AS BIGINT)
        END AS margin_cents
    FROM kept
    GROUP BY impression_id
)
SELECT
    impressions.impression_id,
    clicked.impression_id IS NOT NULL AS is_clicked,
    coalesce(outcomes.is_added_to_cart, false) AS is_added_to_cart,
    coalesce(outcomes.is_purchased, false) AS is_purchased,
    coalesce(outcomes.revenue_cents, 0) AS revenue_cents,
    CASE WHEN outcomes.impression_id IS NULL THEN 0 ELSE outcomes.margin_cents END AS margin_cents
FROM stg_impressions AS impressions
LEFT JOIN clicked USING (impression_id)
LEFT JOIN outcomes USING (impression_id)
