-- unserved_lines: one row per line that is not as one published table has it, with the first column that differs.
-- grain: claim
-- reads: claimed_lines, published_list, published_versions, as served_lines.sql does, which was asked first
-- units: propensity in (0, 1]; published: the propensity of the item in its place, the closest one of several segments,
-- null where another column differs
-- A line that a later night was compared with keeps what was found there: that list was the newest. A night that has
-- not published the version of a line says nothing of it, unless the line names the night.
WITH claims AS (
    SELECT
        rowid AS claim, policy_version, surface, slot, item_id, propensity,
        CASE WHEN $is_for_everybody THEN '' ELSE user_key END AS shown_to,
        policy_version IN (FROM published_versions) AS is_published
    FROM claimed_lines
    WHERE differs IS NULL
        AND (
            run_id = $run_id
            OR (
                run_id IS NULL AND first_night <= $as_of AND shown_day > $as_of
                AND policy_version IN (FROM published_versions)
            )
        )
),
lists AS (FROM published_list SEMI JOIN claims USING (policy_version, shown_to)),
items AS (
    SELECT claim, arg_min(lists.propensity, abs(lists.propensity - claims.propensity)) AS published
    FROM claims
    JOIN lists
        ON lists.policy_version = claims.policy_version
        AND lists.shown_to = claims.shown_to
        AND lists.slot = claims.slot
        AND lists.item_id = claims.item_id
        AND (lists.surface = claims.surface OR lists.surface = 'all')
    GROUP BY claim
),
places AS (
    SELECT policy_version, shown_to, surface, slot
    FROM lists
    GROUP BY ALL
),
known AS (
    SELECT
        claim,
        bool_or(places.surface IN (claims.surface, 'all')) AS has_surface,
        bool_or(places.surface IN (claims.surface, 'all') AND places.slot = claims.slot) AS has_slot
    FROM claims JOIN places USING (policy_version, shown_to)
    ANTI JOIN items USING (claim)
    GROUP BY claim
)
SELECT
    claim,
    CASE
        WHEN items.claim IS NOT NULL THEN 'propensity'
        WHEN NOT is_published THEN 'policy_version'
        WHEN known.claim IS NULL THEN 'user_id'
        WHEN NOT has_surface THEN 'surface'
        WHEN NOT has_slot THEN 'slot'
        ELSE 'item_id'
    END AS differs,
    published
FROM claims
LEFT JOIN items USING (claim)
LEFT JOIN known USING (claim)
