-- stg_ad_impressions: one row per ad shown once, up to the night's date
-- grain: ad_impression_id
-- reads: raw_ad_impressions, stg_superseded_lines
-- units: money in cents, times in UTC, propensity in (0, 1]
-- kind: view
SELECT
    ad_impression_id,
    shown_at,
    user_key,
    campaign_id,
    channel,
    creative_id,
    cost_cents,
    propensity,
    is_clicked,
    conversions,
    conversion_value_cents
FROM raw_ad_impressions AS ad_impressions
ANTI JOIN (FROM stg_superseded_lines WHERE log = 'ad_impressions') AS superseded
    ON ad_impressions.load_number = superseded.load_number
    AND ad_impressions.file_line = superseded.file_line
    AND hash(ad_impression_id) = superseded.key_hash
WHERE shown_at < CAST(getvariable('as_of') + 1 AS TIMESTAMP) AT TIME ZONE 'UTC'
