-- experiment_users: one row per user and day of known rewards, with rounds of an area since an experiment began.
-- grain: user_key, day
-- reads: fct_rounds
-- units: reward as it is counted; days in UTC
-- reward_column stands for what the reward is made of.
-- All rounds count, whatever served them: a user without a list in one arm may have one in the other, so that rounds
-- chosen by what served them would be those of other users in each arm. n_served: rounds that a candidate served,
-- by the form of its versions.
-- A day counts whole or not at all: each is one look of the interval.
SELECT
    user_key,
    decided_date AS day,
    count(*) AS n_rounds,
    CAST(sum(reward_column) AS DOUBLE) AS reward,
    count(*) FILTER (regexp_full_match(policy_version, $versions)) AS n_served
FROM fct_rounds
WHERE domain = $area AND user_key IS NOT NULL AND decided_date > $started_on AND decided_date < $known_until
GROUP BY user_key, decided_date
ORDER BY user_key, decided_date
