-- load_manifest: one row per file that the raw tables hold; the truth about what was loaded.
-- grain: source_name
-- reads: nothing, features/warehouse/manifest.py writes a row in the same transaction as the rows of its file
-- units: n_lines counts data lines: without header and empty lines; names are those of the file's columns
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
-- a warehouse of version 0.1 has no names yet
ALTER TABLE load_manifest ADD COLUMN IF NOT EXISTS names VARCHAR[]
