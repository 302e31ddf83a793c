-- crowded_touches: the touches of the users who touched more than $most_items items, as they came.
-- grain: user_number, item, acted_at
-- reads: touched_items
-- units: times in UTC
-- Of items touched at the same moment the first by name comes last, so that it is the last to be forgotten.
SELECT user_number, item, acted_at
FROM touched_items
SEMI JOIN (
    SELECT user_number FROM touched_items GROUP BY user_number HAVING count(DISTINCT item) > $most_items
) AS crowded USING (user_number)
ORDER BY user_number, acted_at, item DESC
