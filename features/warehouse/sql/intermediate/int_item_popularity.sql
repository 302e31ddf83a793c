-- int_item_popularity: one row per day on which an item was shown or clicked, with its popularity by then.
-- grain: domain, surface, item_id, known_date
-- reads: int_rounds, stg_impressions, stg_events
-- units: impressions and clicks that lose half their weight every half_life_days; days in UTC
-- Known when known_date has ended, so a decision may use the last row of an earlier day, aged to its own day.
-- A click of a recommendation counts on the day it came, on the surface of its impression. Other logs do not say
-- when a click came: at the latest when its attribution window closed, and it counts then. surface is the channel of an ad.
-- Decayed running sum: sum of n_i 2^((d_i - d)/h) = 2^((as_of - d)/h) * sum of n_i 2^((d_i - as_of)/h), so
-- one cumulative sum serves all days. They count from as_of: powers of two of days since 1970 overflow.
WITH shown AS (
    SELECT
        domain,
        surface,
        action_id AS item_id,
        CAST(decided_at AT TIME ZONE 'UTC' AS DATE) AS known_date,
        1 AS n_impressions,
        0 AS n_clicks
    FROM int_rounds
),
clicked AS (
    SELECT DISTINCT
        'recommendation' AS domain,
        impressions.surface,
        impressions.item_id,
        CAST(events.occurred_at AT TIME ZONE 'UTC' AS DATE) AS known_date,
        events.impression_id
    FROM stg_events AS events
    JOIN stg_impressions AS impressions USING (impression_id)
    WHERE events.event_type = 'click'
    UNION ALL
    SELECT
        domain,
        surface,
        action_id,
        CAST((decided_at + to_hours(getvariable('attribution_hours'))) AT TIME ZONE 'UTC' AS DATE),
        round_id
    FROM int_rounds
    WHERE domain <> 'recommendation' AND is_clicked
),
days AS (
    SELECT
        domain,
        surface,
        item_id,
        known_date,
        sum(n_impressions) AS n_impressions,
        sum(n_clicks) AS n_clicks,
        pow(2, (known_date - getvariable('as_of')) / getvariable('half_life_days')) AS weight
    FROM (
        FROM shown
        UNION ALL
        SELECT domain, surface, item_id, known_date, 0, 1 FROM clicked
    )
    WHERE known_date <= getvariable('as_of')
    GROUP BY domain, surface, item_id, known_date
)
SELECT
    domain,
    surface,
    item_id,
    known_date,
    -- rounded, because the order of summation shows in the last digits
    round(sum(n_impressions * weight) OVER until_then / weight, 6) AS decayed_impressions,
    round(sum(n_clicks * weight) OVER until_then / weight, 6) AS decayed_clicks
FROM days
WINDOW until_then AS (PARTITION BY domain, surface, item_id ORDER BY known_date ROWS UNBOUNDED PRECEDING)
