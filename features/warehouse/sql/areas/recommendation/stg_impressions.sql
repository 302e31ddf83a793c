-- stg_impressions: one row per item shown once, up to the night's date, robots left out
-- grain: impression_id
-- reads: raw_impressions, stg_superseded_lines, stg_robot_visits
-- units: times in UTC, propensity in (0, 1]
-- kind: view
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
FROM raw_impressions AS impressions
ANTI JOIN (FROM stg_superseded_lines WHERE log = 'impressions') AS superseded
    ON impressions.load_number = superseded.load_number
    AND impressions.file_line = superseded.file_line
    AND hash(impression_id) = superseded.key_hash
ANTI JOIN (FROM stg_robot_visits WHERE is_left_out) AS robots
    ON coalesce(session_id, 'user ' || user_key) = robots.visit
WHERE shown_at < CAST(getvariable('as_of') + 1 AS TIMESTAMP) AT TIME ZONE 'UTC'
