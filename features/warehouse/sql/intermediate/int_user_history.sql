-- int_user_history: one row per moment at which something is decided for a user, with what was known by then.
-- grain: user_number, session_id, decided_at
-- reads: int_rounds, int_user_numbers, int_visits, int_user_totals
-- units: counts, money in cents, days of 24 hours
-- The last moment of each user is the end of the night, when tomorrow is decided. All comparisons are strict:
-- what happened at the very moment of a decision was not known to it. A visit is known from its first moment,
-- and the visit that the moment belongs to is not its own past. session_id is null outside of visits: for
-- ads, and at the end of the night.
WITH decisions AS (
    SELECT DISTINCT user_number, session_id, decided_at
    FROM int_rounds
    JOIN int_user_numbers USING (user_key)
),
moments AS (
    SELECT
        decisions.*,
        coalesce(visits.began_at, decisions.decided_at) AS visit_began_at,
        decisions.decided_at - INTERVAL 7 DAY AS week_began_at
    FROM decisions
    LEFT JOIN int_visits AS visits USING (user_number, session_id)
    UNION ALL
    SELECT user_number, NULL, night_end, night_end, night_end - INTERVAL 7 DAY
    FROM int_user_numbers
    CROSS JOIN (SELECT CAST(getvariable('as_of') + 1 AS TIMESTAMP) AT TIME ZONE 'UTC' AS night_end)
),
visit_starts AS (
    SELECT DISTINCT user_number, began_at FROM int_visits
)
SELECT
    moments.user_number,
    moments.session_id,
    moments.decided_at,
    coalesce(past.n_views, 0) AS n_views_before,
    coalesce(past.n_clicks, 0) AS n_clicks_before,
    coalesce(past.n_carts, 0) AS n_carts_before,
    coalesce(past.n_purchases, 0) AS n_purchases_before,
    coalesce(past.spend_cents, 0) AS spend_cents_before,
    -- the last week is the whole past less all that is older
    coalesce(past.n_views - coalesce(older.n_views, 0), 0) AS n_views_last_7_days,
    coalesce(past.n_clicks - coalesce(older.n_clicks, 0), 0) AS n_clicks_last_7_days,
    coalesce(past.n_carts - coalesce(older.n_carts, 0), 0) AS n_carts_last_7_days,
    coalesce(past.n_purchases - coalesce(older.n_purchases, 0), 0) AS n_purchases_last_7_days,
    date_diff('microsecond', visit_starts.began_at, moments.decided_at) / 86_400e6 AS days_since_last_visit,
    date_diff('microsecond', past.clicked_at, moments.decided_at) / 86_400e6 AS days_since_last_click,
    date_diff('microsecond', past.purchased_at, moments.decided_at) / 86_400e6 AS days_since_last_purchase
FROM moments
ASOF LEFT JOIN int_user_totals AS past
    ON moments.user_number = past.user_number AND moments.decided_at > past.acted_at
ASOF LEFT JOIN int_user_totals AS older
    ON moments.user_number = older.user_number AND moments.week_began_at > older.acted_at
ASOF LEFT JOIN visit_starts
    ON moments.user_number = visit_starts.user_number AND moments.visit_began_at > visit_starts.began_at
