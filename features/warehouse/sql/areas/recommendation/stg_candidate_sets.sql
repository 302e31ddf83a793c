-- stg_candidate_sets: one row per item that could have been shown
-- grain: candidate_set_id, item_id
-- reads: raw_candidate_sets, stg_superseded_lines
-- units: text only
-- kind: view
SELECT
    candidate_set_id,
    item_id
FROM raw_candidate_sets AS candidate_sets
ANTI JOIN (FROM stg_superseded_lines WHERE log = 'candidate_sets') AS superseded
    ON candidate_sets.load_number = superseded.load_number
    AND candidate_sets.file_line = superseded.file_line
    AND hash(candidate_set_id, item_id) = superseded.key_hash
