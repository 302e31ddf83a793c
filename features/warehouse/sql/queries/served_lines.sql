-- served_lines: one row per line that is as one published table has it.
-- grain: claim
-- reads: claimed_lines, published_list, which features/warehouse/served_lines.py makes for one file and one table
-- units: propensity in (0, 1]; $tolerance: relative, what a text or float32 may do to a number; $as_of: of the night
-- A line that names its night is compared with it; another one with any night of its version before the day it was
-- shown. A propensity that was not logged claims nothing. A list of the surface `all` may be shown on any surface.
-- Where a night has no lists of users, everybody is shown from the same distribution, under the key ''.
SELECT claims.rowid AS claim
FROM claimed_lines AS claims
JOIN published_list AS lists
    ON lists.policy_version = claims.policy_version
    AND lists.shown_to = CASE WHEN $is_for_everybody THEN '' ELSE claims.user_key END
    AND lists.slot = claims.slot
    AND lists.item_id = claims.item_id
    AND (lists.surface = claims.surface OR lists.surface = 'all')
    AND (
        claims.propensity IS NULL
        OR abs(claims.propensity - lists.propensity) <= $tolerance * lists.propensity
    )
WHERE claims.run_id = $run_id
    OR (claims.run_id IS NULL AND claims.first_night <= $as_of AND claims.shown_day > $as_of)
