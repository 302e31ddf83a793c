-- stg_events: one row per thing a user did, up to the night's date, robots left out
-- grain: event_id
-- reads: raw_events, stg_superseded_lines, stg_robot_visits
-- units: times in UTC
-- kind: view
SELECT
    event_id,
    occurred_at,
    user_key,
    session_id,
    item_id,
    event_type,
    impression_id
FROM raw_events AS events
ANTI JOIN (FROM stg_superseded_lines WHERE log = 'events') AS superseded
    ON events.load_number = superseded.load_number
    AND events.file_line = superseded.file_line
    AND hash(event_id) = superseded.key_hash
ANTI JOIN (FROM stg_robot_visits WHERE is_left_out) AS robots
    ON coalesce(session_id, 'user ' || user_key) = robots.visit
WHERE occurred_at < CAST(getvariable('as_of') + 1 AS TIMESTAMP) AT TIME ZONE 'UTC'
