-- stg_candidate_sets: one row per item that could have been shown
-- grain: candidate_set_id, item_id
-- reads: raw_candidate_sets
-- units: text only
SELECT
    candidate_set_id,
    item_id
FROM raw_candidate_sets
-- the last loaded line of a key wins
QUALIFY row_number() OVER (
    PARTITION BY candidate_set_id, item_id ORDER BY load_number DESC, file_line DESC
) = 1
