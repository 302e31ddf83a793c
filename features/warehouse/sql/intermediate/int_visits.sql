-- int_visits: one row per visit of a known user, with its first moment.
-- grain: user_number, session_id, began_at
-- reads: stg_impressions, stg_events, stg_purchases, int_user_numbers
-- units: times in UTC
-- A visitor who signs in on the way has a visit from then on. An act without a session is a visit of its own:
-- it tells only that the user was there at that moment, so that acts of the same moment are one. Where there is
-- a session_id it alone names the visit of a user.
SELECT user_number, session_id, min(attended_at) AS began_at
FROM (
    SELECT user_key, session_id, shown_at AS attended_at FROM stg_impressions
    UNION ALL
    SELECT user_key, session_id, occurred_at FROM stg_events
    UNION ALL
    SELECT user_key, session_id, ordered_at FROM stg_purchases
)
JOIN int_user_numbers USING (user_key)
-- without its last term all acts without a session would be one visit, as old as the first of them
GROUP BY user_number, session_id, CASE WHEN session_id IS NULL THEN attended_at END
