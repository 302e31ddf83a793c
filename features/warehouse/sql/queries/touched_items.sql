-- touched_items: one row per user, item and moment at which the user did something with it, with all until then.
-- grain: user_number, item, acted_at
-- reads: action_numbers, stg_events, stg_purchases, int_user_numbers
-- units: item counts from 0; acts, each weighted 2^(1000 - age), where age counts half-lives before $night_end
-- Decayed running sum: sum of 2^((t_i - t)/h) = 2^(age of t - 1000) * sum of 2^(1000 - age of t_i), so that one
-- cumulative sum serves all moments t. A power of two holds exponents from -1074 to 1023: weights between
-- 2^1000 and 2^-1000 reach back 2,000 half-lives, and what is older counts as that old, or the sum would be 0
-- at a state of that time and the power that takes it there infinite.
WITH acts AS (
    SELECT
        user_key,
        item_id,
        occurred_at AS acted_at,
        event_type = 'view' AS is_view,
        event_type = 'click' AS is_click,
        event_type = 'add_to_cart' AS is_cart,
        false AS is_purchase
    FROM stg_events
    WHERE event_type IN ('view', 'click', 'add_to_cart')
    UNION ALL
    -- cancelled later or not: at the moment of the order nobody knew
    SELECT user_key, item_id, ordered_at, false, false, false, true
    FROM stg_purchases
),
-- moments are distinct, or an as-of join would pick one of several rows of the same moment
moments AS (
    SELECT
        user_number,
        item,
        acted_at,
        count_if(is_view) AS n_views,
        count_if(is_click) AS n_clicks,
        count_if(is_cart) AS n_carts,
        count_if(is_purchase) AS n_purchases,
        pow(
            2, 1000 - least(date_diff('microsecond', acted_at, $night_end) / 86_400e6 / $half_life_days, 2000)
        ) AS weight
    FROM acts
    JOIN action_numbers USING (item_id)
    JOIN int_user_numbers USING (user_key)
    GROUP BY user_number, item, acted_at
)
SELECT
    user_number,
    item,
    acted_at,
    lead(acted_at) OVER in_time AS touched_again_at,
    sum(n_views * weight) OVER until_then AS views,
    sum(n_clicks * weight) OVER until_then AS clicks,
    sum(n_carts * weight) OVER until_then AS carts,
    sum(n_purchases * weight) OVER until_then AS purchases
FROM moments
WINDOW
    in_time AS (PARTITION BY user_number, item ORDER BY acted_at),
    until_then AS (PARTITION BY user_number, item ORDER BY acted_at ROWS UNBOUNDED PRECEDING)
