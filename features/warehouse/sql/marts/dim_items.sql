-- dim_items: one row per item of the catalog or of an action set.
-- grain: item_id
-- reads: stg_items, stg_impressions, stg_candidate_sets
-- units: money in cents; attributes are null where the catalog does not know the item
WITH seen AS (
    SELECT item_id FROM stg_items
    UNION
    SELECT item_id FROM stg_impressions
    UNION
    SELECT item_id FROM stg_candidate_sets
)
SELECT
    seen.item_id,
    items.item_id IS NOT NULL AS is_in_catalog,
    items.category,
    items.brand,
    items.price_cents,
    items.currency_code,
    items.attributes
FROM seen
LEFT JOIN stg_items AS items USING (item_id)
ORDER BY item_id
