-- experiment_users: one row per user with mature rounds of an area since an experiment began.
-- grain: user_key
-- reads: fct_rounds
-- units: reward as it is counted; days in UTC
-- reward_column stands for what the reward is made of.
-- All rounds count, whatever served them: a user without a list in one arm may have one in the other, so that rounds
-- chosen by what served them would be those of other users in each arm. n_served: rounds that the candidate served.
SELECT
    user_key,
    count(*) AS n_rounds,
    CAST(sum(reward_column) AS DOUBLE) AS reward,
    count(*) FILTER (policy_version = $candidate) AS n_served
FROM fct_rounds
WHERE domain = $area AND is_mature AND user_key IS NOT NULL AND decided_date > $started_on
GROUP BY user_key
ORDER BY user_key
