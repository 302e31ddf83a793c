-- stg_purchases: one row per line of an order, up to the night's date; returns are in stg_returns
-- grain: order_id, line
-- reads: raw_purchases, stg_superseded_lines
-- units: money in cents, times in UTC
-- kind: view
SELECT
    order_id,
    line,
    ordered_at,
    user_key,
    session_id,
    item_id,
    quantity,
    price_cents,
    cost_cents,
    currency_code,
    is_cancelled
FROM raw_purchases AS purchases
ANTI JOIN (FROM stg_superseded_lines WHERE log = 'purchases') AS superseded
    ON purchases.load_number = superseded.load_number
    AND purchases.file_line = superseded.file_line
    AND hash(order_id, line) = superseded.key_hash
WHERE ordered_at < CAST(getvariable('as_of') + 1 AS TIMESTAMP) AT TIME ZONE 'UTC'
    AND is_returned IS DISTINCT FROM true
