-- asked_states: one row per state that some decision asks for: a user, and the moment of the user's last act.
-- grain: state
-- reads: decision_moments, touched_items
-- units: state counts from 0 in the order of user_number and acted_at; times in UTC
-- What happened at the very moment of a decision was not known to it: the comparison is strict. A user's last
-- state is always among them, because the end of the night asks for it.
WITH acted AS (
    SELECT DISTINCT user_number, acted_at FROM touched_items
),
asked AS (
    SELECT DISTINCT decision_moments.user_number, acted.acted_at
    FROM decision_moments
    ASOF JOIN acted
        ON decision_moments.user_number = acted.user_number
        AND decision_moments.decided_at > acted.acted_at
)
SELECT
    row_number() OVER (ORDER BY user_number, acted_at) - 1 AS state,
    user_number,
    acted_at
FROM asked
