-- stg_users: one row per user that the shop describes
-- grain: user_key
-- reads: raw_users
-- units: times in UTC
SELECT
    user_key,
    region,
    device,
    signup_at,
    attributes
FROM raw_users
-- the last loaded line of a key wins
QUALIFY row_number() OVER (PARTITION BY user_key ORDER BY load_number DESC, file_line DESC) = 1
