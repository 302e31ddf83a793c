-- window_sums: one row per length of time, with sums over the visitors of all whole windows of that length.
-- grain: days
-- reads: the temporary view planned_rounds
-- units: days, counts; between: (reward of a visitor − rate · rounds of the visitor)², added up
-- Windows lie side by side from the first day; a rest that is shorter than a window belongs to none.
WITH bounds AS (
    SELECT min(day) AS first_day, max(day) - min(day) + 1 AS n_days, avg(reward) AS rate
    FROM planned_rounds
),
visits AS (
    SELECT visitor, day - first_day AS since, count(*) AS n_rounds, sum(reward) AS rewards
    FROM planned_rounds, bounds
    GROUP BY ALL
),
lengths AS (
    SELECT DISTINCT unnest(list_filter([1, 2, 4, 7, 14, 28, 56, n_days], lambda days: days <= n_days)) AS days,
        n_days, rate
    FROM bounds
),
visitors AS (
    SELECT days, n_days // days AS n_windows, since // days AS place, visitor, rate,
        sum(visits.n_rounds) AS n_rounds, sum(visits.rewards) AS rewards
    FROM lengths JOIN visits ON since < days * (n_days // days)
    GROUP BY ALL
)
SELECT
    days,
    n_windows,
    count(*) AS n_visitors,
    sum(n_rounds) AS n_rounds,
    sum(n_rounds * n_rounds) AS squares,
    sum((rewards - rate * n_rounds) ** 2) AS between
FROM visitors
GROUP BY days, n_windows
ORDER BY days
