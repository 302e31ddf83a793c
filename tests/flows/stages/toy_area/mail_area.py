"""The entry of the area in the list."""

from pathlib import Path

from features.areas import Area, AreaTable
from features.contracts.log import Log
from tests.flows.stages.toy_area.mail_contracts import Mails, MailSubjects

MAIL = Area(
    name="mail",
    title="Mails",
    logs={"mails": Log(Mails, ("mail_id",))},
    decision_log="mails",
    rows="mails",
    unknown_without="which subject line was sent, so that none can be chosen",
    judged_by="off_policy_evaluation",
    sql=Path(__file__).parent / "sql",
    actions="""
        SELECT DISTINCT action_id AS item_id, CAST(NULL AS VARCHAR) AS attributes
        FROM fct_rounds WHERE domain = 'mail' ORDER BY action_id""",
    rewards={"click": "is_opened", "conversion": "is_opened"},
    tables={"out_mail_subjects": AreaTable(MailSubjects, "without it nobody knows what would be sent")},
    decisions="tests.flows.stages.toy_area.mail_decisions",
    report="tests.flows.stages.toy_area.mail_report",
)
