-- rejected_lines: one row per line in quarantine, with the first rule that it broke.
-- grain: load_number, line
-- reads: nothing, features/warehouse/load.py writes it
-- units: line counts from 1, the header included; rule: a finding as JSON, the same for all lines that break it;
-- findings: a JSON array, why this line is here; example: a JSON array of findings, the shapes of its columns
CREATE TABLE IF NOT EXISTS rejected_lines (
    load_number BIGINT NOT NULL,
    line BIGINT NOT NULL,
    rule VARCHAR NOT NULL,
    findings VARCHAR NOT NULL,
    example VARCHAR
)
