-- decision_moments: one row per moment at which a domain decides for a user, the end of the night included.
-- grain: moment
-- reads: fct_rounds, int_user_numbers
-- units: moment counts from 0; times in UTC
SELECT row_number() OVER (ORDER BY user_number, decided_at) - 1 AS moment, user_number, user_key, decided_at
FROM (
    SELECT DISTINCT user_key, decided_at FROM fct_rounds WHERE domain = $domain
    UNION ALL
    SELECT user_key, $night_end FROM int_user_numbers
)
JOIN int_user_numbers USING (user_key)
