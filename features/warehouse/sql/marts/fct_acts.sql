-- fct_acts: one row per act of a visitor on an item, up to the night's date; what later acts are foretold from
-- grain: act_id
-- reads: stg_events, stg_purchases
-- units: times in UTC; act is view, click, add_to_cart or purchase
-- kind: view
-- A visitor is a user, or one visit of nobody known. An item taken out of a cart, and an order that was cancelled
-- later, speak for nothing.
WITH acts AS (
    SELECT
        'event ' || event_id AS act_id,
        user_key,
        session_id,
        item_id,
        occurred_at AS acted_at,
        CAST(event_type AS VARCHAR) AS act
    FROM stg_events
    WHERE event_type <> 'remove_from_cart'
    UNION ALL
    SELECT 'order ' || order_id || ' ' || line, user_key, session_id, item_id, ordered_at, 'purchase'
    FROM stg_purchases
    WHERE is_cancelled IS DISTINCT FROM true
)
SELECT act_id, coalesce(user_key, 'visit ' || session_id) AS visitor, user_key, item_id, acted_at, act
FROM acts
WHERE item_id IS NOT NULL AND visitor IS NOT NULL
