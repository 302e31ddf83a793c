-- stg_robot_visits: one row per visit that is faster than any person: a crawler, a script, a test of the staff.
-- grain: visit
-- reads: raw_impressions, raw_events
-- units: most_acts counts acts in five minutes; shares of all rows of both logs, 0 to 1
-- A visit is a session, or a user where a log knows no sessions. An act is a page at its own moment (the items of
-- one page are one act) or an event on an item. More than 150 acts in five minutes, one every two seconds
-- without a pause, is a robot's rate, if the clock tells 30 moments in them apart and they hold half of the visit:
-- a day without a clock is no rush, and neither is the rush of a session that many guests share.
-- Its rows enter no table, so that nothing is learned from them.
-- Where such visits hold more than a fifth of all rows, the sessions are not visits (one id for everybody, a
-- counter at an entrance): then is_left_out is false for all of them, and the data report says so.
WITH acts AS (
    SELECT coalesce(session_id, 'user ' || user_key) AS visit, shown_at AS acted_at, NULL AS item_id
    FROM raw_impressions
    WHERE shown_at < CAST(getvariable('as_of') + 1 AS TIMESTAMP) AT TIME ZONE 'UTC'
    UNION ALL
    SELECT coalesce(session_id, 'user ' || user_key), occurred_at, item_id
    FROM raw_events
    WHERE occurred_at < CAST(getvariable('as_of') + 1 AS TIMESTAMP) AT TIME ZONE 'UTC'
),
-- few visits have this many rows, and only theirs are told apart
crowded AS (
    SELECT visit, time_bucket(INTERVAL 5 MINUTE, acted_at) AS opened_at
    FROM acts
    WHERE visit IS NOT NULL
    GROUP BY ALL
    HAVING count(*) > 150
),
fast AS (
    SELECT visit, count(DISTINCT (acted_at, item_id)) AS n_acts, count(*) AS n_rows
    FROM (SELECT *, time_bucket(INTERVAL 5 MINUTE, acted_at) AS opened_at FROM acts)
    SEMI JOIN crowded USING (visit, opened_at)
    GROUP BY visit, opened_at
    HAVING n_acts > 150 AND count(DISTINCT acted_at) >= 30
),
visits AS (
    SELECT visit, count(*) AS n_rows
    FROM acts
    SEMI JOIN fast USING (visit)
    GROUP BY visit
),
robots AS (
    SELECT fast.visit, max(n_acts) AS most_acts
    FROM fast JOIN visits USING (visit)
    GROUP BY fast.visit
    HAVING sum(fast.n_rows) >= 0.5 * any_value(visits.n_rows)
),
counted AS (
    SELECT
        count(*) AS n_rows,
        count(*) FILTER (visit IN (SELECT visit FROM robots)) AS n_robot_rows
    FROM acts
)
SELECT
    visit,
    most_acts,
    n_robot_rows / n_rows AS robot_share,
    n_robot_rows <= 0.2 * n_rows AS is_left_out
FROM robots, counted
