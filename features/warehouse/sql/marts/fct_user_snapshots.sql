-- fct_user_snapshots: one row per user of the logs, with what is known at the end of the night.
-- grain: user_key
-- reads: int_user_numbers, int_user_history
-- units: counts, money in cents, days
-- Tomorrow is decided on this, and not on what was known at some last round of the user.
SELECT users.user_key, history.* EXCLUDE (user_number, session_id)
FROM int_user_numbers AS users
JOIN int_user_history AS history USING (user_number)
WHERE history.decided_at = CAST(getvariable('as_of') + 1 AS TIMESTAMP) AT TIME ZONE 'UTC'
ORDER BY users.user_key
