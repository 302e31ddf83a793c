-- fct_ad_spend: one row per day, campaign, channel and audience segment.
-- grain: "date", campaign_id, channel, segment_id
-- reads: stg_ad_spend_daily
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
FROM stg_ad_spend_daily
ORDER BY "date", campaign_id, channel, segment_id
