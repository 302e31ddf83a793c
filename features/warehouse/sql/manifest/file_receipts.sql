-- file_receipts: one row per file and content, with the moment at which it was seen for the first time.
-- grain: source_name, file_sha256
-- reads: nothing, features/warehouse/plausible_times.py writes it
-- units: times in UTC; a row stays when the file is replaced or read anew
CREATE TABLE IF NOT EXISTS file_receipts (
    source_name VARCHAR NOT NULL,
    file_sha256 VARCHAR NOT NULL,
    received_at TIMESTAMPTZ NOT NULL
)
