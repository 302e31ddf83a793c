-- decayed_affinities: one row per moment and leading value that the user had touched before it.
-- grain: moment, place
-- reads: decision_moments, leading_values, stg_items, stg_events, stg_purchases, int_user_numbers
-- units: acts (views, clicks, carts, orders) that lose half their weight every $half_life_days
-- Decayed running sum: sum of 2^((t_i - t)/h) = 2^((e - t)/h) * sum of 2^((t_i - e)/h), so one cumulative sum
-- serves all moments t, and the as-of join takes n log n. The epoch e is the end of the night, $night_end:
-- powers of two of the days since 1970 would overflow, these are at most 1.
WITH acts AS (
    SELECT user_key, item_id, occurred_at AS acted_at
    FROM stg_events
    WHERE event_type IN ('view', 'click', 'add_to_cart')
    UNION ALL
    SELECT user_key, item_id, ordered_at FROM stg_purchases
),
-- a join for each trait and not one with OR, which would compare every item with every value
item_places AS (
    SELECT value AS item_id, place FROM leading_values WHERE trait = 'item'
    UNION ALL
    SELECT items.item_id, leading_values.place
    FROM stg_items AS items
    JOIN leading_values ON leading_values.trait = 'category' AND leading_values.value = items.category
    UNION ALL
    SELECT items.item_id, leading_values.place
    FROM stg_items AS items
    JOIN leading_values ON leading_values.trait = 'brand' AND leading_values.value = items.brand
),
touches AS (
    SELECT
        user_number,
        place,
        acted_at,
        sum(pow(2, date_diff('microsecond', $night_end, acted_at) / 86_400e6 / $half_life_days)) AS weight
    FROM acts
    JOIN item_places USING (item_id)
    JOIN int_user_numbers USING (user_key)
    GROUP BY user_number, place, acted_at
),
totals AS (
    SELECT
        user_number,
        place,
        acted_at,
        sum(weight) OVER (
            PARTITION BY user_number, place ORDER BY acted_at ROWS UNBOUNDED PRECEDING
        ) AS weight
    FROM touches
),
asked AS (
    SELECT moment, user_number, place, decided_at
    FROM decision_moments
    JOIN (SELECT DISTINCT user_number, place FROM touches) USING (user_number)
)
SELECT
    asked.moment,
    asked.place,
    -- rounded, because the order of summation shows in the last digits
    round(
        totals.weight
            * pow(2, date_diff('microsecond', asked.decided_at, $night_end) / 86_400e6 / $half_life_days),
        6
    ) AS affinity
FROM asked
ASOF JOIN totals
    ON asked.user_number = totals.user_number
    AND asked.place = totals.place
    AND asked.decided_at > totals.acted_at
