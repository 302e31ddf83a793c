-- int_user_numbers: one row per user of the logs, with a number that stands for the user inside this layer.
-- grain: user_number
-- reads: int_rounds, stg_events, stg_purchases
-- units: user_number counts from 1 in the order of user_key
-- A key has 64 characters; sorting and joining numbers in their place takes half the time and memory.
SELECT user_key, row_number() OVER (ORDER BY user_key) AS user_number
FROM (
    SELECT user_key FROM int_rounds
    UNION
    SELECT user_key FROM stg_events
    UNION
    SELECT user_key FROM stg_purchases
)
WHERE user_key IS NOT NULL
