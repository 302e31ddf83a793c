-- int_line_costs: one row per line of an order that was not cancelled, with what one of its pieces cost the shop.
-- grain: order_id, line
-- reads: stg_purchases, stg_items
-- units: money in cents
-- known_from: the line itself, else its item, else the shop's usual share of costs in prices: that of all lines
-- whose price and cost are known, by money. Null where no cost is known at all, or where the line has no price.
-- An item's cost in another currency is not known.
WITH lines AS (
    SELECT
        purchases.order_id,
        purchases.line,
        purchases.quantity,
        purchases.price_cents,
        coalesce(purchases.cost_cents, items.cost_cents) AS known_cents,
        CASE
            WHEN purchases.cost_cents IS NOT NULL THEN 'line'
            WHEN items.cost_cents IS NOT NULL THEN 'item'
        END AS known_from
    FROM stg_purchases AS purchases
    LEFT JOIN stg_items AS items
        ON purchases.item_id = items.item_id
        AND purchases.currency_code = coalesce(items.currency_code, purchases.currency_code)
    WHERE NOT purchases.is_cancelled
),
usual AS (
    SELECT
        CAST(sum(quantity * known_cents) AS DOUBLE)
            / nullif(CAST(sum(quantity * price_cents) AS DOUBLE), 0) AS cost_share
    FROM lines
    WHERE known_cents IS NOT NULL AND price_cents IS NOT NULL
)
SELECT
    order_id,
    line,
    quantity,
    price_cents,
    coalesce(known_cents, CAST(round(price_cents * cost_share) AS BIGINT)) AS cost_cents,
    coalesce(known_from, if(price_cents * cost_share IS NULL, NULL, 'share')) AS known_from
FROM lines
CROSS JOIN usual
