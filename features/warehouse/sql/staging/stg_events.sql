-- stg_events: one row per thing a user did, up to the night's date
-- grain: event_id
-- reads: raw_events
-- units: times in UTC
SELECT
    event_id,
    occurred_at,
    user_key,
    session_id,
    item_id,
    event_type,
    impression_id
FROM raw_events
WHERE CAST(occurred_at AT TIME ZONE 'UTC' AS DATE) <= getvariable('as_of')
-- the last loaded line of a key wins
QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY load_number DESC, file_line DESC) = 1
