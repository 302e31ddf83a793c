-- stg_mails: one row per mail sent once, up to the night's date
-- grain: mail_id
-- reads: raw_mails, stg_superseded_lines
-- units: times in UTC, propensity in (0, 1]
-- kind: view
SELECT mail_id, sent_at, user_key, subject_id, propensity, is_opened, context
FROM raw_mails AS mails
ANTI JOIN (FROM stg_superseded_lines WHERE log = 'mails') AS superseded
    ON mails.load_number = superseded.load_number
    AND mails.file_line = superseded.file_line
    AND hash(mail_id) = superseded.key_hash
WHERE sent_at < CAST(getvariable('as_of') + 1 AS TIMESTAMP) AT TIME ZONE 'UTC'
