"""A mail about a failed night, through a mail server of the configuration."""

import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage

from features.errors import UsageError
from flows.operating_settings import Alerts


def message_of(alerts: Alerts, subject: str, body: str) -> EmailMessage:
    """Return the mail."""
    message = EmailMessage()
    message["From"] = alerts.mail_from
    message["To"] = ", ".join(alerts.mail_to)
    message["Subject"] = subject
    message.set_content(body)
    return message


def send(alerts: Alerts, message: EmailMessage, environment: Mapping[str, str], seconds: float) -> None:
    """Send a mail; environment: where the password is. seconds: the longest wait for an answer.

    Raises OSError (as smtplib does) where the server refuses or can't be reached, and UsageError where the
    password is missing.
    """
    with smtplib.SMTP(alerts.smtp_host, alerts.smtp_port, timeout=seconds) as server:
        if alerts.smtp_starttls:
            server.starttls(context=ssl.create_default_context())
        if alerts.smtp_user:
            server.login(alerts.smtp_user, _password(alerts, environment))
        server.send_message(message)


def _password(alerts: Alerts, environment: Mapping[str, str]) -> str:
    password = environment.get(alerts.smtp_password_variable)
    if not password:
        raise UsageError(
            f"the environment variable {alerts.smtp_password_variable} (alerts.smtp_password_variable) "
            "has no password"
        )
    return password
