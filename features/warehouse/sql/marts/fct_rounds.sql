-- fct_rounds: one row per logged decision, with its reward and what was known when it was made.
-- grain: domain, round_id
-- reads: int_rounds, int_user_numbers, int_user_history
-- units: money in cents, times in UTC, propensity in (0, 1]; surface is the channel of an ad
-- A round without user has no history: counts of zero, and never visited, clicked or bought.
-- A round is_mature when its attribution window had ended by the end of the night's date.
-- What an area does not say of its rounds is null, but for three: it decides in one slot, at no cost, in no session.
SELECT
    rounds.* EXCLUDE (slot, cost_cents, n_rounds_in_session_before),
    coalesce(rounds.slot, 1) AS slot,
    coalesce(rounds.cost_cents, 0) AS cost_cents,
    CAST(rounds.decided_at AT TIME ZONE 'UTC' AS DATE) AS decided_date,
    rounds.decided_at + to_hours(getvariable('attribution_hours'))
        < CAST(getvariable('as_of') + 1 AS TIMESTAMP) AT TIME ZONE 'UTC' AS is_mature,
    coalesce(history.n_views_before, 0) AS n_views_before,
    coalesce(history.n_clicks_before, 0) AS n_clicks_before,
    coalesce(history.n_carts_before, 0) AS n_carts_before,
    coalesce(history.n_purchases_before, 0) AS n_purchases_before,
    coalesce(history.spend_cents_before, 0) AS spend_cents_before,
    coalesce(history.n_views_last_7_days, 0) AS n_views_last_7_days,
    coalesce(history.n_clicks_last_7_days, 0) AS n_clicks_last_7_days,
    coalesce(history.n_carts_last_7_days, 0) AS n_carts_last_7_days,
    coalesce(history.n_purchases_last_7_days, 0) AS n_purchases_last_7_days,
    coalesce(rounds.n_rounds_in_session_before, 0) AS n_rounds_in_session_before,
    history.days_since_last_visit,
    history.days_since_last_click,
    history.days_since_last_purchase
FROM int_rounds AS rounds
LEFT JOIN int_user_numbers AS users USING (user_key)
LEFT JOIN int_user_history AS history
    ON users.user_number = history.user_number
    AND rounds.session_id IS NOT DISTINCT FROM history.session_id
    AND rounds.decided_at = history.decided_at
ORDER BY rounds.domain, rounds.decided_at, rounds.round_id
