-- int_visits: one row per visit of a known user, with its first moment.
-- grain: user_number, session_id
-- reads: stg_impressions, stg_events, stg_purchases, int_user_numbers
-- units: times in UTC
-- A visitor who signs in on the way has a visit from then on.
SELECT user_number, session_id, min(attended_at) AS began_at
FROM (
    SELECT user_key, session_id, shown_at AS attended_at FROM stg_impressions
    UNION ALL
    SELECT user_key, session_id, occurred_at FROM stg_events
    UNION ALL
    SELECT user_key, session_id, ordered_at FROM stg_purchases
)
JOIN int_user_numbers USING (user_key)
GROUP BY user_number, session_id
