-- arm_rounds: one row per mature round of an arm, on surfaces that at least two arms have served.
-- grain: surface, policy_version, round_id
-- reads: fct_rounds
-- units: days in UTC, reward as it is counted, propensity in (0, 1]
-- reward_column stands for what the reward is made of.
-- An arm is a policy_version with $min_rounds such rounds or more, one of the $most_arms largest of its surface.
WITH arms AS (
    SELECT surface, policy_version
    FROM fct_rounds
    WHERE domain = 'recommendation' AND propensity IS NOT NULL AND is_mature
    GROUP BY surface, policy_version
    HAVING count(*) >= $min_rounds
    QUALIFY row_number() OVER (PARTITION BY surface ORDER BY count(*) DESC, policy_version) <= $most_arms
),
compared AS (
    FROM arms
    QUALIFY count(*) OVER (PARTITION BY surface) > 1
)
SELECT
    surface,
    policy_version,
    decided_date,
    slot,
    action_id,
    user_key,
    propensity,
    reward_column AS reward
FROM fct_rounds
SEMI JOIN compared USING (surface, policy_version)
WHERE domain = 'recommendation' AND propensity IS NOT NULL AND is_mature
ORDER BY surface, policy_version, decided_date, round_id
