"""Alerts arrive by web and by mail; where they don't, a warning says so, without a secret."""

import json
import socket
import time

import pytest
from pydantic import ValidationError

from flows.attempts.alerts.delivery import deliver
from flows.operating_settings import Alerts
from tests.flows.attempts.alerts.servers import mail_server, web_server
from tests.flows.attempts.alerts.test_failed_night import FAILED

ENDS = {"mail_from": "metacart@example.com", "mail_to": ("you@example.com", "me@example.com")}


def warnings(alerts: Alerts, environment: dict[str, str] | None = None, seconds: float = 20.0) -> list[str]:
    said: list[str] = []
    deliver(alerts, FAILED, said.append, seconds=seconds, environment=environment or {})
    return said


def test_without_alerts_nothing_is_sent():
    assert warnings(Alerts()) == []


def test_a_webhook_gets_one_json_object():
    with web_server() as received:
        assert warnings(Alerts(webhook_url=f"http://127.0.0.1:{received.port}/hook/secret")) == []
    assert received.commands == ["/hook/secret"]
    [body] = received.bodies
    assert json.loads(body) == FAILED.to_json()


def test_a_mail_has_subject_and_text():
    with mail_server() as received:
        alerts = Alerts(smtp_host="127.0.0.1", smtp_port=received.port, smtp_starttls=False, **ENDS)
        assert warnings(alerts) == []
    [body] = received.bodies
    text = body.decode().replace("\r\n", "\n")
    assert f"To: {', '.join(ENDS['mail_to'])}" in text
    assert "metacart: small, the night of the newest day has failed" in text.replace("\n ", " ")
    assert FAILED.sentence in text
    assert sum(command.upper().startswith("RCPT") for command in received.commands) == 2


def test_a_password_is_not_sent_to_a_server_without_encryption():
    with mail_server() as received:
        alerts = Alerts(smtp_host="127.0.0.1", smtp_port=received.port, smtp_user="ann", **ENDS)
        [warning] = warnings(alerts, {"METACART_SMTP_PASSWORD": "hunter2"})
    assert warning.startswith("warning: the alert did not reach mail server 127.0.0.1: SMTPNotSupportedError")
    assert received.bodies == []
    assert not any("hunter2" in command or "AUTH" in command for command in received.commands)


@pytest.mark.parametrize("status", [403, 500])
def test_a_refusal_is_a_warning_without_the_address(status):
    with web_server(status) as received:
        [warning] = warnings(Alerts(webhook_url=f"http://127.0.0.1:{received.port}/hook/secret"))
    assert f"did not reach 127.0.0.1: HTTP status {status}; last_failure.txt has its text" in warning
    assert "secret" not in warning


def test_one_way_that_fails_does_not_keep_the_other_from_its_turn():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        closed = nobody.getsockname()[1]
        with mail_server() as received:
            mail = Alerts(
                webhook_url=f"http://127.0.0.1:{closed}/secret",
                smtp_host="127.0.0.1",
                smtp_port=received.port,
                smtp_starttls=False,
                **ENDS,
            )
            [warning] = warnings(mail)
    assert "Connection refused" in warning
    assert len(received.bodies) == 1


def test_a_server_that_never_answers_is_left(monkeypatch):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        began = time.monotonic()
        [warning] = warnings(
            Alerts(webhook_url=f"http://127.0.0.1:{silent.getsockname()[1]}/secret"), seconds=0.3
        )
    assert "did not reach 127.0.0.1: " in warning
    assert time.monotonic() - began < 60


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ({"webhook_url": "file:///etc/passwd"}, "webhook_url"),
        ({"webhook_url": "ftp://example.com"}, "webhook_url"),
        ({"smtp_host": "mail"}, "needs mail_from and mail_to"),
        ({"mail_to": ("you@example.com\nBcc: all@example.com",)}, "mail_to"),
        ({"smtp_user": "ann", "smtp_starttls": False}, "is not sent in the clear"),
    ],
)
def test_what_can_not_be_an_alert_is_refused(table, complaint):
    with pytest.raises(ValidationError, match=complaint):
        Alerts.model_validate(table)


def test_a_secret_is_in_no_representation():
    assert "secret" not in repr(Alerts(webhook_url="https://example.com/secret"))
