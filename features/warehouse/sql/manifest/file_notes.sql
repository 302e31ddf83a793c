-- file_notes: one row per thing worth knowing about a file although it rejects no line.
-- grain: load_number, rule
-- reads: nothing, features/warehouse/notes.py writes it
-- units: rule: the code of the finding; findings: a JSON array of it
CREATE TABLE IF NOT EXISTS file_notes (
    load_number BIGINT NOT NULL,
    rule VARCHAR NOT NULL,
    findings VARCHAR NOT NULL
)
