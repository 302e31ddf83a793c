-- int_active_items: one row per item that a surface showed on a day; the action set where none was logged.
-- grain: surface, active_date, item_id
-- reads: stg_impressions
-- units: days in UTC
SELECT DISTINCT surface, CAST(shown_at AT TIME ZONE 'UTC' AS DATE) AS active_date, item_id
FROM stg_impressions
ORDER BY surface, active_date, item_id
