"""A webhook: one JSON object, posted to an address of the configuration."""

import json
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit


def post(url: str, content: Mapping[str, Any], seconds: float) -> None:
    """Post a JSON object; seconds: the longest wait for the server.

    Raises OSError where it can't be reached or answers with an error.
    """
    request = urllib.request.Request(  # noqa: S310 - the settings accept http and https alone
        url, json.dumps(content).encode(), {"Content-Type": "application/json", "User-Agent": "metacart"}
    )
    with urllib.request.urlopen(request, timeout=seconds):  # noqa: S310
        pass


def server_of(url: str) -> str:
    """Return the server in an address, without the rest, which may be a secret.

    >>> server_of("https://user:word@hooks.example.com:8443/services/T0/B1/secret")
    'hooks.example.com'
    """
    return urlsplit(url).hostname or "the webhook"
