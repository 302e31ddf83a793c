-- int_rounds_mail: one row per mail sent once, with whether it was opened.
-- grain: round_id
-- reads: stg_mails
-- units: times in UTC, propensity in (0, 1]
-- kind: view
SELECT
    mail_id AS round_id,
    sent_at AS decided_at,
    user_key,
    'mail' AS surface,
    subject_id AS action_id,
    propensity,
    is_opened,
    context
FROM stg_mails
