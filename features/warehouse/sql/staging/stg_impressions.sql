-- stg_impressions: one row per item shown once, up to the night's date
-- grain: impression_id
-- reads: raw_impressions
-- units: times in UTC, propensity in (0, 1]
SELECT
    impression_id,
    shown_at,
    user_key,
    session_id,
    surface,
    slot,
    item_id,
    propensity,
    policy_version,
    candidate_set_id,
    context
FROM raw_impressions
WHERE CAST(shown_at AT TIME ZONE 'UTC' AS DATE) <= getvariable('as_of')
-- the last loaded line of a key wins
QUALIFY row_number() OVER (PARTITION BY impression_id ORDER BY load_number DESC, file_line DESC) = 1
