-- rejected_lines: one row per line in quarantine, with the first rule that it broke.
-- grain: load_number, line
-- reads: nothing, features/warehouse/load.py writes it
-- units: line counts from 1, the header included; example holds no personal column
CREATE TABLE IF NOT EXISTS rejected_lines (
    load_number BIGINT NOT NULL,
    line BIGINT NOT NULL,
    rule VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    example VARCHAR
)
