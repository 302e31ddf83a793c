-- dim_items: one row per item of the catalog or of an action set.
-- grain: item_id
-- reads: stg_items, stg_impressions, stg_candidate_sets
-- units: money in cents; price_position from 0, the cheapest of its category, to 1, the dearest
-- Attributes are null where the catalog does not know the item.
WITH seen AS (
    SELECT item_id FROM stg_items
    UNION
    SELECT item_id FROM stg_impressions
    UNION
    SELECT item_id FROM stg_candidate_sets
),
-- counted from both ends, so that equal prices share the middle of their places; alone is the middle, too
prices AS (
    SELECT
        item_id,
        coalesce(
            (rank() OVER from_cheapest - rank() OVER from_dearest + n_priced - 1)
                / nullif(2 * (n_priced - 1), 0),
            0.5
        ) AS price_position
    FROM (
        SELECT item_id, category, price_cents, count(*) OVER (PARTITION BY category) AS n_priced
        FROM stg_items
        WHERE price_cents IS NOT NULL
    )
    WINDOW
        from_cheapest AS (PARTITION BY category ORDER BY price_cents),
        from_dearest AS (PARTITION BY category ORDER BY price_cents DESC)
)
SELECT
    seen.item_id,
    items.item_id IS NOT NULL AS is_in_catalog,
    items.name,
    items.url,
    items.image_url,
    items.category,
    items.brand,
    items.price_cents,
    prices.price_position,
    items.currency_code,
    items.attributes
FROM seen
LEFT JOIN stg_items AS items USING (item_id)
LEFT JOIN prices USING (item_id)
ORDER BY item_id
