-- leading_values: one row per category, brand and item that leads its trait by what users did with it.
-- grain: place
-- reads: stg_items, stg_events, stg_purchases
-- units: place counts from 0
-- $known_until: what happens from then on has no say. $n_leading: as many values of each trait.
-- An act names its item, so that an item may lead that no catalog lists.
WITH acts AS (
    SELECT item_id
    FROM stg_events
    WHERE event_type IN ('view', 'click', 'add_to_cart') AND occurred_at < $known_until
    UNION ALL
    SELECT item_id FROM stg_purchases WHERE ordered_at < $known_until
),
-- acts are many and items few: counted first, they meet the catalog as one row each
item_volumes AS (
    SELECT item_id, count(*) AS n_acts FROM acts GROUP BY item_id
),
volumes AS (
    SELECT 'item' AS trait, item_id AS value, n_acts FROM item_volumes
    UNION ALL
    SELECT 'category', category, sum(n_acts)
    FROM item_volumes JOIN stg_items USING (item_id)
    WHERE category IS NOT NULL
    GROUP BY category
    UNION ALL
    SELECT 'brand', brand, sum(n_acts)
    FROM item_volumes JOIN stg_items USING (item_id)
    WHERE brand IS NOT NULL
    GROUP BY brand
),
leaders AS (
    SELECT trait, value
    FROM volumes
    QUALIFY row_number() OVER (PARTITION BY trait ORDER BY n_acts DESC, value) <= $n_leading
)
SELECT row_number() OVER (ORDER BY trait, value) - 1 AS place, trait, value
FROM leaders
