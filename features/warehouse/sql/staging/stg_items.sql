-- stg_items: one row per item of the catalog
-- grain: item_id
-- reads: raw_items
-- units: money in cents
SELECT
    item_id,
    category,
    brand,
    price_cents,
    currency_code,
    attributes
FROM raw_items
-- the last loaded line of a key wins
QUALIFY row_number() OVER (PARTITION BY item_id ORDER BY load_number DESC, file_line DESC) = 1
