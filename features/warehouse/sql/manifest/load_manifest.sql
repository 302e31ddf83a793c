-- load_manifest: one row per file that the raw tables hold; the truth about what was loaded.
-- grain: source_name
-- reads: nothing, features/warehouse/manifest.py writes a row in the same transaction as the rows of its file
-- units: n_lines counts data lines: without header and empty lines; names are those of the file's columns;
-- source: the [[files]] table that the file belongs to; is_part: its sums add to those of the source's other
-- files; one_row_per_key: the logs of which the last line of a key alone counts; received_at: when its content
-- was seen first, in UTC; twin_of: the file of the same content whose rows stand for it;
-- joined_sha256: of the file that it joins
CREATE TABLE IF NOT EXISTS load_manifest (
    load_number BIGINT NOT NULL,
    source_name VARCHAR NOT NULL,
    file_sha256 VARCHAR NOT NULL,
    replaced_sha256 VARCHAR,
    n_bytes BIGINT NOT NULL,
    n_lines BIGINT NOT NULL,
    n_loaded BIGINT NOT NULL,
    n_rejected BIGINT NOT NULL,
    logs VARCHAR[] NOT NULL,
    key_id VARCHAR NOT NULL,
    contract_version VARCHAR NOT NULL,
    names VARCHAR[]
);
-- a warehouse of version 0.1 has no names yet, one of 0.2 none of the others
ALTER TABLE load_manifest ADD COLUMN IF NOT EXISTS names VARCHAR[];
ALTER TABLE load_manifest ADD COLUMN IF NOT EXISTS source VARCHAR;
ALTER TABLE load_manifest ADD COLUMN IF NOT EXISTS is_part BOOLEAN;
ALTER TABLE load_manifest ADD COLUMN IF NOT EXISTS adds_identical_lines BOOLEAN;
ALTER TABLE load_manifest ADD COLUMN IF NOT EXISTS one_row_per_key VARCHAR[];
ALTER TABLE load_manifest ADD COLUMN IF NOT EXISTS received_at TIMESTAMPTZ;
ALTER TABLE load_manifest ADD COLUMN IF NOT EXISTS twin_of VARCHAR;
ALTER TABLE load_manifest ADD COLUMN IF NOT EXISTS joined_sha256 VARCHAR
