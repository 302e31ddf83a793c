-- stg_returns: one row per line that gives pieces of an earlier order back, up to the night's date
-- grain: order_id, line
-- reads: raw_purchases, stg_superseded_lines
-- units: quantity in pieces, times in UTC
-- kind: view
SELECT
    order_id,
    line,
    ordered_at AS returned_at,
    user_key,
    session_id,
    item_id,
    quantity
FROM raw_purchases AS purchases
ANTI JOIN (FROM stg_superseded_lines WHERE log = 'purchases') AS superseded
    ON purchases.load_number = superseded.load_number
    AND purchases.file_line = superseded.file_line
    AND hash(order_id, line) = superseded.key_hash
WHERE ordered_at < CAST(getvariable('as_of') + 1 AS TIMESTAMP) AT TIME ZONE 'UTC'
    AND is_returned
