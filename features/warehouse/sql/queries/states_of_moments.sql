-- states_of_moments: one row per moment at which a domain decides for a user, with what it knows.
-- grain: user_key, decided_at
-- reads: decision_moments, asked_states
-- units: times in UTC; state is -1 where the user had done nothing yet
SELECT
    decision_moments.user_key,
    decision_moments.decided_at,
    coalesce(asked_states.state, -1) AS state
FROM decision_moments
ASOF LEFT JOIN asked_states
    ON decision_moments.user_number = asked_states.user_number
    AND decision_moments.decided_at > asked_states.acted_at
ORDER BY decision_moments.moment
