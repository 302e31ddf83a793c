-- dim_users: one row per user that the shop describes or the logs know.
-- grain: user_key
-- reads: stg_users, int_user_numbers
-- units: times in UTC; attributes are null where the shop describes no such user
WITH seen AS (
    SELECT user_key FROM stg_users
    UNION
    SELECT user_key FROM int_user_numbers
)
SELECT seen.user_key, users.region, users.device, users.signup_at, users.attributes
FROM seen
LEFT JOIN stg_users AS users USING (user_key)
WHERE seen.user_key IS NOT NULL
ORDER BY user_key
