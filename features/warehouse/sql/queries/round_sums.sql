-- round_sums: one row, sums over all planned rounds.
-- grain: one row
-- reads: the temporary view planned_rounds
-- units: days in UTC, counts, means per round
-- inverse, inverse_squares, weighted_rewards: sums of 1/p, 1/p² and r/p over rounds with a propensity p; they
-- make the reward of uniformly shown items. second_moment: mean of 1 / (A p²) with A items available.
SELECT
    count(*) AS n_rounds,
    coalesce(bool_or(has_user), false) AS has_users,
    min(day) AS first_day,
    max(day) AS last_day,
    coalesce(sum(reward), 0) AS rewards,
    avg(n_available) AS n_available,
    avg(n_slots) AS n_slots,
    count(propensity) AS n_propensities,
    coalesce(sum(1 / (n_available * propensity)), 0) AS inverse,
    coalesce(sum(1 / (n_available * propensity) ** 2), 0) AS inverse_squares,
    coalesce(sum(reward / (n_available * propensity)), 0) AS weighted_rewards,
    avg(1 / (n_available * propensity ** 2)) AS second_moment
FROM planned_rounds
