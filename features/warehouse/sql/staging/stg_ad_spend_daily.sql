-- stg_ad_spend_daily: one row per day, campaign, channel and audience segment, up to the night's date
-- grain: "date", campaign_id, channel, segment_id
-- reads: raw_ad_spend_daily, stg_superseded_lines
-- units: money in cents, days in UTC
-- kind: view
SELECT
    "date",
    campaign_id,
    channel,
    segment_id,
    impressions,
    clicks,
    spend_cents,
    conversions,
    revenue_cents
FROM raw_ad_spend_daily AS ad_spend_daily
ANTI JOIN (FROM stg_superseded_lines WHERE log = 'ad_spend_daily') AS superseded
    ON ad_spend_daily.load_number = superseded.load_number
    AND ad_spend_daily.file_line = superseded.file_line
    AND hash("date", campaign_id, channel, segment_id) = superseded.key_hash
WHERE "date" <= getvariable('as_of')
