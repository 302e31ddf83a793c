-- stg_ad_spend_daily: one row per day, campaign, channel and audience segment, up to the night's date
-- grain: "date", campaign_id, channel, segment_id
-- reads: raw_ad_spend_daily, stg_superseded_lines
-- units: money in cents, days in UTC; every number is the sum over the lines that count
-- kind: view
SELECT
    "date",
    campaign_id,
    channel,
    segment_id,
    CAST(sum(impressions) AS BIGINT) AS impressions,
    CAST(sum(clicks) AS BIGINT) AS clicks,
    CAST(sum(spend_cents) AS BIGINT) AS spend_cents,
    -- exact: a sum of doubles would depend on the order of the lines
    CAST(sum(CAST(conversions AS DECIMAL(38, 9))) AS DOUBLE) AS conversions,
    CAST(sum(revenue_cents) AS BIGINT) AS revenue_cents
FROM raw_ad_spend_daily AS ad_spend_daily
ANTI JOIN (FROM stg_superseded_lines WHERE log = 'ad_spend_daily') AS superseded
    ON ad_spend_daily.load_number = superseded.load_number
    AND ad_spend_daily.file_line = superseded.file_line
    AND hash("date", campaign_id, channel, segment_id) = superseded.key_hash
WHERE "date" <= getvariable('as_of')
GROUP BY ALL
