-- file_notes: one row per thing worth knowing about a file although it rejects no line.
-- grain: load_number, rule
-- reads: nothing, features/warehouse/notes.py writes it
-- units: text only
CREATE TABLE IF NOT EXISTS file_notes (
    load_number BIGINT NOT NULL,
    rule VARCHAR NOT NULL,
    reason VARCHAR NOT NULL
)
