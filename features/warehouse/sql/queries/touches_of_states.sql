-- touches_of_states: one row per state and item that its user had touched by then, the latest ones.
-- grain: state, item
-- reads: touched_items, asked_states, forgotten_touches
-- units: acts that lose half their weight every $half_life_days, decayed to the state's moment; days of 24 hours
-- A touch tells of its item from its own moment until the user touches the item again, or has touched this many
-- others since that it is forgotten. States are numbered in time, so those between are a range of numbers: no
-- row is made that is not returned.
WITH spans AS (
    SELECT
        touched_items.*,
        least(touched_items.touched_again_at, forgotten_touches.forgotten_at) AS ended_at
    FROM touched_items
    LEFT JOIN forgotten_touches USING (user_number, item, acted_at)
),
last_states AS (
    SELECT user_number, max(state) AS state FROM asked_states GROUP BY user_number
),
ranges AS (
    SELECT
        spans.*,
        begins.state AS first_state,
        coalesce(ends.state, last_states.state + 1) AS end_state
    FROM spans
    JOIN last_states USING (user_number)
    ASOF JOIN asked_states AS begins
        ON spans.user_number = begins.user_number AND spans.acted_at <= begins.acted_at
    ASOF LEFT JOIN asked_states AS ends
        ON spans.user_number = ends.user_number AND spans.ended_at <= ends.acted_at
),
touches AS (
    SELECT
        unnest(range(first_state, end_state)) AS state,
        item,
        acted_at AS touched_at,
        views,
        clicks,
        carts,
        purchases
    FROM ranges
    WHERE first_state < end_state
),
states AS (
    SELECT
        state,
        acted_at,
        pow(
            2, least(date_diff('microsecond', acted_at, $night_end) / 86_400e6 / $half_life_days, 2000) - 1000
        ) AS decay
    FROM asked_states
)
SELECT
    state,
    item,
    -- rounded, because the order of summation shows in the last digits
    CAST(round(views * decay, 6) AS FLOAT) AS views,
    CAST(round(clicks * decay, 6) AS FLOAT) AS clicks,
    CAST(round(carts * decay, 6) AS FLOAT) AS carts,
    CAST(round(purchases * decay, 6) AS FLOAT) AS purchases,
    CAST(date_diff('microsecond', touched_at, acted_at) / 86_400e6 AS FLOAT) AS days_since
FROM touches
JOIN states USING (state)
ORDER BY state, item
