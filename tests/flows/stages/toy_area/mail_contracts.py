"""Mail: which subject line was sent and opened, and which one to send tomorrow."""

import dataframely as dy

from features.contracts import columns
from features.contracts.columns import optional

subject_id = dy.String(description="the subject line", min_length=1)


class Mails(dy.Schema):
    """One mail sent once. Grain: mail_id."""

    mail_id = dy.String(description="one mail sent once", min_length=1)
    sent_at = dy.Datetime(description="when it was sent", time_zone="UTC", time_unit="us")
    user_id = columns.user_id
    subject_id = subject_id
    propensity = optional(columns.propensity)
    is_opened = dy.Bool(description="the mail was opened")
    context = optional(columns.context)


class MailSubjects(dy.Schema):
    """Which subject line a segment is sent tomorrow. Grain: segment_id, subject_id."""

    run_id = columns.run_id
    as_of = columns.as_of
    segment_id = columns.segment_id
    subject_id = subject_id
    probability = dy.Float64(description="probability of the subject line in the segment", min=0, max=1)
    policy_version = columns.policy_version
