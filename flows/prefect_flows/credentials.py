"""The user and password of the server and the reports, and the variables with which a client reaches them."""

import os
import secrets
import shlex
from pathlib import Path

from features.errors import UsageError

GIVEN = "PREFECT_SERVER_API_AUTH_STRING"
"""The environment variable of Prefect with which an operator gives an own user and password."""

USER = "metacart"
OTHERS = 0o077


def auth_string(home: Path) -> str:
    """Return `user:password`: the operator's from the environment, or one that is made once in `home`.

    The file has mode 0600. Raises UsageError for an empty user or password, and for a file that others may
    read.
    """
    given = os.environ.get(GIVEN)
    return _checked(given, GIVEN) if given is not None else _kept(auth_file(home))


def auth_file(home: Path) -> Path:
    """Return the file of the user and password that were made."""
    return home / "auth"


def client_environment(api_url: str, auth: str) -> dict[str, str]:
    """Return the variables with which Prefect's command line reaches the server."""
    return {"PREFECT_API_URL": api_url, "PREFECT_API_AUTH_STRING": auth}


def shell_lines(environment: dict[str, str]) -> str:
    """Return variables in the form that a POSIX shell evaluates.

    >>> shell_lines({"A": "it's"})
    'export A=\\'it\\'"\\'"\\'s\\''
    """
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in environment.items())


def _kept(path: Path) -> str:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if path.stat().st_mode & OTHERS:
            raise UsageError(
                f"{path} holds a password, and others on this machine may read it. Run `chmod 600 {path}`, "
                "or delete it for a new password."
            ) from None
        return _checked(path.read_text(encoding="utf-8").strip(), str(path))
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        made = f"{USER}:{secrets.token_urlsafe(24)}"
        file.write(made + "\n")
    return made


def _checked(auth: str, where: str) -> str:
    user, _, password = auth.partition(":")
    if not user or not password or not auth.isascii() or not auth.isprintable():
        raise UsageError(f"{where} must be user:password, in ASCII and neither of them empty.")
    return auth
