-- stg_items: one row per item of the catalog
-- grain: item_id
-- reads: raw_items, stg_superseded_lines
-- units: money in cents
-- kind: view
SELECT
    item_id,
    name,
    url,
    image_url,
    category,
    brand,
    price_cents,
    cost_cents,
    currency_code,
    attributes
FROM raw_items AS items
ANTI JOIN (FROM stg_superseded_lines WHERE log = 'items') AS superseded
    ON items.load_number = superseded.load_number
    AND items.file_line = superseded.file_line
    AND hash(item_id) = superseded.key_hash
