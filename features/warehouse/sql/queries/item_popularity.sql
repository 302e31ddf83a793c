-- item_popularity: one row per item shown before $known_date, with its popularity when that day began.
-- grain: item_id
-- reads: int_item_popularity
-- units: impressions and clicks that lose half their weight every half_life_days, over all surfaces
WITH latest AS (
    SELECT
        item_id,
        decayed_impressions,
        decayed_clicks,
        -- a row tells of the end of its day, so yesterday's has not aged
        pow(2, (known_date + 1 - $known_date) / $half_life_days) AS age_weight
    FROM int_item_popularity
    WHERE domain = $domain AND known_date < $known_date
    QUALIFY row_number() OVER (PARTITION BY surface, item_id ORDER BY known_date DESC) = 1
)
SELECT
    item_id,
    sum(decayed_impressions * age_weight) AS decayed_impressions,
    sum(decayed_clicks * age_weight) AS decayed_clicks
FROM latest
GROUP BY item_id
ORDER BY item_id
