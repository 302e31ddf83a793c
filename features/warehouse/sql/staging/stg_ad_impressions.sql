-- stg_ad_impressions: one row per ad shown once, up to the night's date
-- grain: ad_impression_id
-- reads: raw_ad_impressions
-- units: money in cents, times in UTC, propensity in (0, 1]
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
FROM raw_ad_impressions
WHERE CAST(shown_at AT TIME ZONE 'UTC' AS DATE) <= getvariable('as_of')
-- the last loaded line of a key wins
QUALIFY row_number() OVER (PARTITION BY ad_impression_id ORDER BY load_number DESC, file_line DESC) = 1
