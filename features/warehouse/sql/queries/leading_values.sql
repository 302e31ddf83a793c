-- leading_values: one row per category and per brand that leads its trait by what users did with its items.
-- grain: place
-- reads: stg_items, stg_events, stg_purchases
-- units: place counts from 0
-- $known_until: what happens from then on has no say. $n_leading: as many values of each trait.
WITH acts AS (
    SELECT item_id
    FROM stg_events
    WHERE event_type IN ('view', 'click', 'add_to_cart') AND occurred_at < $known_until
    UNION ALL
    SELECT item_id FROM stg_purchases WHERE ordered_at < $known_until
),
volumes AS (
    SELECT trait, value, count(*) AS n_acts
    FROM acts
    JOIN (
        SELECT item_id, 'category' AS trait, category AS value FROM stg_items
        UNION ALL
        SELECT item_id, 'brand', brand FROM stg_items
    ) USING (item_id)
    WHERE value IS NOT NULL
    GROUP BY trait, value
),
leaders AS (
    SELECT trait, value
    FROM volumes
    QUALIFY row_number() OVER (PARTITION BY trait ORDER BY n_acts DESC, value) <= $n_leading
)
SELECT row_number() OVER (ORDER BY trait, value) - 1 AS place, trait, value
FROM leaders
