-- stg_superseded_lines: one row per loaded row that gave way to a later line with the same key
-- grain: log, load_number, file_line, key_hash
-- reads: raw_impressions, raw_events, raw_purchases, raw_ad_impressions, raw_ad_spend_daily, raw_candidate_sets, raw_items, raw_users
-- units: key_hash is DuckDB's hash of the key: it finds candidates, the key itself decides
-- The last loaded line of a key wins. Few keys come twice, so that the hashes of all keys are counted first,
-- and only the rows whose hash comes twice are put in order.
WITH repeated_impressions AS (
    SELECT hash(impression_id) AS key_hash
    FROM raw_impressions
    WHERE shown_at < CAST(getvariable('as_of') + 1 AS TIMESTAMP) AT TIME ZONE 'UTC'
    GROUP BY key_hash
    HAVING count(*) > 1
),
repeated_events AS (
    SELECT hash(event_id) AS key_hash
    FROM raw_events
    WHERE occurred_at < CAST(getvariable('as_of') + 1 AS TIMESTAMP) AT TIME ZONE 'UTC'
    GROUP BY key_hash
    HAVING count(*) > 1
),
repeated_purchases AS (
    SELECT hash(order_id, line) AS key_hash
    FROM raw_purchases
    WHERE ordered_at < CAST(getvariable('as_of') + 1 AS TIMESTAMP) AT TIME ZONE 'UTC'
    GROUP BY key_hash
    HAVING count(*) > 1
),
repeated_ad_impressions AS (
    SELECT hash(ad_impression_id) AS key_hash
    FROM raw_ad_impressions
    WHERE shown_at < CAST(getvariable('as_of') + 1 AS TIMESTAMP) AT TIME ZONE 'UTC'
    GROUP BY key_hash
    HAVING count(*) > 1
),
repeated_ad_spend_daily AS (
    SELECT hash("date", campaign_id, channel, segment_id) AS key_hash
    FROM raw_ad_spend_daily
    WHERE "date" <= getvariable('as_of')
    GROUP BY key_hash
    HAVING count(*) > 1
),
repeated_candidate_sets AS (
    SELECT hash(candidate_set_id, item_id) AS key_hash
    FROM raw_candidate_sets
    GROUP BY key_hash
    HAVING count(*) > 1
),
repeated_items AS (
    SELECT hash(item_id) AS key_hash
    FROM raw_items
    GROUP BY key_hash
    HAVING count(*) > 1
),
repeated_users AS (
    SELECT hash(user_key) AS key_hash
    FROM raw_users
    GROUP BY key_hash
    HAVING count(*) > 1
)
SELECT 'impressions' AS log, load_number, file_line, hash(impression_id) AS key_hash
FROM raw_impressions
SEMI JOIN repeated_impressions ON hash(impression_id) = repeated_impressions.key_hash
WHERE shown_at < CAST(getvariable('as_of') + 1 AS TIMESTAMP) AT TIME ZONE 'UTC'
QUALIFY row_number() OVER (
    PARTITION BY impression_id ORDER BY load_number DESC, file_line DESC
) > 1
UNION ALL
SELECT 'events' AS log, load_number, file_line, hash(event_id) AS key_hash
FROM raw_events
SEMI JOIN repeated_events ON hash(event_id) = repeated_events.key_hash
WHERE occurred_at < CAST(getvariable('as_of') + 1 AS TIMESTAMP) AT TIME ZONE 'UTC'
QUALIFY row_number() OVER (
    PARTITION BY event_id ORDER BY load_number DESC, file_line DESC
) > 1
UNION ALL
SELECT 'purchases' AS log, load_number, file_line, hash(order_id, line) AS key_hash
FROM raw_purchases
SEMI JOIN repeated_purchases ON hash(order_id, line) = repeated_purchases.key_hash
WHERE ordered_at < CAST(getvariable('as_of') + 1 AS TIMESTAMP) AT TIME ZONE 'UTC'
QUALIFY row_number() OVER (
    PARTITION BY order_id, line ORDER BY load_number DESC, file_line DESC
) > 1
UNION ALL
SELECT 'ad_impressions' AS log, load_number, file_line, hash(ad_impression_id) AS key_hash
FROM raw_ad_impressions
SEMI JOIN repeated_ad_impressions ON hash(ad_impression_id) = repeated_ad_impressions.key_hash
WHERE shown_at < CAST(getvariable('as_of') + 1 AS TIMESTAMP) AT TIME ZONE 'UTC'
QUALIFY row_number() OVER (
    PARTITION BY ad_impression_id ORDER BY load_number DESC, file_line DESC
) > 1
UNION ALL
SELECT 'ad_spend_daily' AS log, load_number, file_line, hash("date", campaign_id, channel, segment_id) AS key_hash
FROM raw_ad_spend_daily
SEMI JOIN repeated_ad_spend_daily ON hash("date", campaign_id, channel, segment_id) = repeated_ad_spend_daily.key_hash
WHERE "date" <= getvariable('as_of')
QUALIFY row_number() OVER (
    PARTITION BY "date", campaign_id, channel, segment_id ORDER BY load_number DESC, file_line DESC
) > 1
UNION ALL
SELECT 'candidate_sets' AS log, load_number, file_line, hash(candidate_set_id, item_id) AS key_hash
FROM raw_candidate_sets
SEMI JOIN repeated_candidate_sets ON hash(candidate_set_id, item_id) = repeated_candidate_sets.key_hash
QUALIFY row_number() OVER (
    PARTITION BY candidate_set_id, item_id ORDER BY load_number DESC, file_line DESC
) > 1
UNION ALL
SELECT 'items' AS log, load_number, file_line, hash(item_id) AS key_hash
FROM raw_items
SEMI JOIN repeated_items ON hash(item_id) = repeated_items.key_hash
QUALIFY row_number() OVER (
    PARTITION BY item_id ORDER BY load_number DESC, file_line DESC
) > 1
UNION ALL
SELECT 'users' AS log, load_number, file_line, hash(user_key) AS key_hash
FROM raw_users
SEMI JOIN repeated_users ON hash(user_key) = repeated_users.key_hash
QUALIFY row_number() OVER (
    PARTITION BY user_key ORDER BY load_number DESC, file_line DESC
) > 1
