-- stg_users: one row per user that the shop describes
-- grain: user_key
-- reads: raw_users, stg_superseded_lines
-- units: times in UTC
-- kind: view
SELECT
    user_key,
    region,
    device,
    signup_at,
    attributes
FROM raw_users AS users
ANTI JOIN (FROM stg_superseded_lines WHERE log = 'users') AS superseded
    ON users.load_number = superseded.load_number
    AND users.file_line = superseded.file_line
    AND hash(user_key) = superseded.key_hash
