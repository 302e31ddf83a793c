-- stg_purchases: one row per line of an order, up to the night's date
-- grain: order_id, line
-- reads: raw_purchases
-- units: money in cents, times in UTC
SELECT
    order_id,
    line,
    ordered_at,
    user_key,
    session_id,
    item_id,
    quantity,
    price_cents,
    currency_code,
    is_cancelled
FROM raw_purchases
WHERE CAST(ordered_at AT TIME ZONE 'UTC' AS DATE) <= getvariable('as_of')
-- the last loaded line of a key wins
QUALIFY row_number() OVER (PARTITION BY order_id, line ORDER BY load_number DESC, file_line DESC) = 1
