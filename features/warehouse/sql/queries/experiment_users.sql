-- experiment_users: one row per user and day with mature rounds of an area since an experiment began.
-- grain: user_key, day
-- reads: fct_rounds
-- units: reward as it is counted; days in UTC
-- reward_column stands for what the reward is made of.
-- All rounds count, whatever served them: a user without a list in one arm may have one in the other, so that rounds
-- chosen by what served them would be those of other users in each arm. n_served: rounds that the candidate served, under
-- any of its versions.
SELECT
    user_key,
    decided_date AS day,
    count(*) AS n_rounds,
    CAST(sum(reward_column) AS DOUBLE) AS reward,
    count(*) FILTER (list_contains($versions, policy_version)) AS n_served
FROM fct_rounds
WHERE domain = $area AND is_mature AND user_key IS NOT NULL AND decided_date > $started_on
GROUP BY user_key, decided_date
ORDER BY user_key, decided_date
