-- area_rounds: one row per mature round of an area in the slots that a night decides.
-- grain: round_id
-- reads: fct_rounds, stg_candidate_sets
-- units: days in UTC, reward as it is counted, propensity in (0, 1]
-- area_name and reward_column stand for the area and what its reward is made of. A round without a user
-- is a visitor of its own. n_available: items of its candidate set; without one, those that its place showed
-- on the day. n_slots: of its surface.
WITH sets AS (
    SELECT candidate_set_id, count(*) AS n_items
    FROM stg_candidate_sets
    GROUP BY candidate_set_id
),
of_area AS (
    SELECT *
    FROM fct_rounds
    WHERE domain = 'area_name' AND is_mature AND slot <= getvariable('most_slots')
),
on_days AS (
    SELECT surface, campaign_id, decided_date, count(DISTINCT action_id) AS n_shown
    FROM of_area
    GROUP BY surface, campaign_id, decided_date
),
on_surfaces AS (
    SELECT surface, count(DISTINCT slot) AS n_slots
    FROM of_area
    GROUP BY surface
)
SELECT
    coalesce(rounds.user_key, 'round ' || rounds.round_id) AS visitor,
    rounds.user_key IS NOT NULL AS has_user,
    rounds.decided_date AS day,
    reward_column AS reward,
    rounds.propensity,
    coalesce(sets.n_items, on_days.n_shown) AS n_available,
    on_surfaces.n_slots
FROM of_area AS rounds
JOIN on_days
    ON rounds.surface = on_days.surface
    AND rounds.campaign_id IS NOT DISTINCT FROM on_days.campaign_id
    AND rounds.decided_date = on_days.decided_date
JOIN on_surfaces ON rounds.surface = on_surfaces.surface
LEFT JOIN sets ON rounds.candidate_set_id = sets.candidate_set_id
