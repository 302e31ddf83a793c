"""Delivery of an alert by all ways of the configuration; one that fails is a warning, and hides nothing."""

import os
import threading
import time
from collections.abc import Callable, Mapping
from smtplib import SMTPResponseException
from urllib.error import HTTPError, URLError

from features.errors import MetacartError
from flows.attempts.alerts.failed_night import FailedNight
from flows.attempts.alerts.mail import message_of, send
from flows.attempts.alerts.webhook import post, server_of
from flows.operating_settings import Alerts
from flows.progress import LinePrinter


def deliver(
    alerts: Alerts,
    failed: FailedNight,
    warn: LinePrinter,
    *,
    seconds: float,
    environment: Mapping[str, str] = os.environ,
) -> None:
    """Report a failed night by webhook and mail, where the configuration names them.

    warn: prints a line about each way that failed. seconds: how long to wait for all of them at most; a name
    server that does not answer is waited for no longer either.
    """
    ways: dict[str, Callable[[], None]] = {}
    if alerts.webhook_url:
        ways[server_of(alerts.webhook_url)] = lambda: post(alerts.webhook_url, failed.to_json(), seconds)
    if alerts.smtp_host:
        message = message_of(alerts, failed.subject, failed.body)
        ways[f"mail server {alerts.smtp_host}"] = lambda: send(alerts, message, environment, seconds)
    begun = {name: _Way(way) for name, way in ways.items()}
    ends = time.monotonic() + seconds
    for name, sent in begun.items():
        fault = sent.fault_by(ends)
        if fault is not None:
            warn(f"warning: the alert did not reach {name}: {fault}; last_failure.txt has its text")


class _Way:
    """One way of an alert, begun in a thread of its own."""

    def __init__(self, way: Callable[[], None]) -> None:
        self._way = way
        self._fault: str | None = None
        self._thread = threading.Thread(target=self._go, name="alert", daemon=True)
        self._thread.start()

    def fault_by(self, ends: float) -> str | None:
        """Return why it has failed or not ended by a time of the monotonic clock; None where it succeeded."""
        self._thread.join(max(0.0, ends - time.monotonic()))
        return "no answer in time" if self._thread.is_alive() else self._fault

    def _go(self) -> None:
        try:
            self._way()
        # The night's own failure is what counts; none of these may take its place.
        except Exception as error:  # noqa: BLE001
            self._fault = _words(error)


def _words(error: Exception) -> str:
    """Return what went wrong; the texts of most errors can hold the address of the webhook, and its secret.

    >>> _words(ConnectionRefusedError(111, "Connection refused"))
    'Connection refused'
    >>> _words(ValueError("https://example.com/secret"))
    'ValueError'
    """
    if isinstance(error, MetacartError):
        return str(error)
    if isinstance(error, HTTPError):
        return f"HTTP status {error.code}"
    if isinstance(error, SMTPResponseException):
        return f"SMTP status {error.smtp_code}"
    cause = error.reason if isinstance(error, URLError) else error
    return (cause.strerror if isinstance(cause, OSError) else None) or type(error).__name__
