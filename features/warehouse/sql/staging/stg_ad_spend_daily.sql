-- stg_ad_spend_daily: one row per day, campaign, channel and audience segment, up to the night's date
-- grain: "date", campaign_id, channel, segment_id
-- reads: raw_ad_spend_daily
-- units: money in cents, days in UTC
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
FROM raw_ad_spend_daily
WHERE "date" <= getvariable('as_of')
-- the last loaded line of a key wins
QUALIFY row_number() OVER (
    PARTITION BY "date", campaign_id, channel, segment_id ORDER BY load_number DESC, file_line DESC
) = 1
