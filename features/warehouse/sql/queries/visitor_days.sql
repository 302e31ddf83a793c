-- visitor_days: one row per visitor and day with an event or an order, for logs without rounds.
-- grain: visitor, day
-- reads: stg_events, stg_purchases
-- units: days in UTC, reward 0 or 1
-- reward_name stands for click or conversion: the visitor did that on the day, once or more. A visitor without
-- a user is a session.
WITH acts AS (
    SELECT
        coalesce(user_key, 'session ' || session_id) AS visitor,
        user_key IS NOT NULL AS has_user,
        CAST(occurred_at AS DATE) AS day,
        event_type = 'click' AS is_click,
        false AS is_conversion
    FROM stg_events
    UNION ALL
    SELECT
        coalesce(user_key, 'session ' || session_id),
        user_key IS NOT NULL,
        CAST(ordered_at AS DATE),
        false,
        NOT is_cancelled
    FROM stg_purchases
)
SELECT
    visitor,
    bool_or(has_user) AS has_user,
    day,
    CAST(bool_or(is_reward_name) AS DOUBLE) AS reward,
    CAST(NULL AS DOUBLE) AS propensity,
    CAST(NULL AS BIGINT) AS n_available,
    CAST(NULL AS BIGINT) AS n_slots
FROM acts
WHERE visitor IS NOT NULL
GROUP BY visitor, day
