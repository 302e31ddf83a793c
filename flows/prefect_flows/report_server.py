"""Published reports over HTTP on loopback: read only, with a password, and nothing but published files.

/<shop>/                      the shop's current report, by current.json
/<shop>/<folder>/<file>       a file of a published run, in the folder of its run_id or `<run_id>.2`

A path is opened folder by folder without following links, so neither `..` nor a symbolic link leads out of
a run's folder, not even one that is put there meanwhile. Names that begin with a dot are being written.
"""

import base64
import hmac
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, unquote, urlsplit

from flows.prefect_flows.loopback import HOST
from flows.prefect_flows.report_links import REPORT

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".csv": "text/csv; charset=utf-8",
    ".parquet": "application/vnd.apache.parquet",
}
"""What is published; nothing else is served."""

CHUNK = 1 << 16

HEADERS = {
    # The page's own policy, with the hashes of its style and script, holds besides this one.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox allow-scripts allow-downloads"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class NotServedError(Exception):
    """There is nothing to serve at this path; the reason is nobody's business."""


@dataclass(frozen=True)
class PublishedRuns:
    """The published runs of some shops; shops: name → folder of its runs."""

    shops: Mapping[str, Path]

    def open(self, parts: tuple[str, ...]) -> int:
        """Open a published file: shop, run and the names below; return its descriptor.

        Raises NotServedError for everything else.
        """
        if len(parts) < 3 or parts[0] not in self.shops or Path(parts[-1]).suffix not in TYPES:
            raise NotServedError
        if any(not part or part.startswith(".") or "/" in part or "\0" in part for part in parts):
            raise NotServedError
        try:
            return _open_below(self.shops[parts[0]], parts[1:])
        except OSError as error:
            raise NotServedError from error

    def current(self, shop: str) -> str:
        """Return the path of a shop's current report. Raises NotServedError before the first."""
        try:
            pointer = json.loads((self.shops[shop] / "current.json").read_bytes())
            # A pointer of an earlier version names the run alone.
            folder = pointer.get("folder") or pointer["run_id"]
            return f"/{quote(shop)}/{quote(str(folder), safe='')}/{REPORT}"
        except (AttributeError, KeyError, OSError, ValueError) as error:
            raise NotServedError from error


def _open_below(folder: Path, names: tuple[str, ...]) -> int:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    for name in names[:-1]:
        descriptor = _step(descriptor, name, os.O_DIRECTORY)
    descriptor = _step(descriptor, names[-1], os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotServedError
    return descriptor


def _step(folder: int, name: str, kind: int) -> int:
    try:
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | kind, dir_fd=folder)
    finally:
        os.close(folder)


def report_server(runs: PublishedRuns, auth: str, port: int) -> ThreadingHTTPServer:
    """Return a server that is bound to loopback but does not serve yet; port: 0 for any that is free.

    auth: `user:password`, as of the Prefect server. Raises OSError if the port is taken.
    """

    class Handler(ReportHandler):
        published = runs
        password = auth.encode()

    return _Server((HOST, port), Handler)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


class ReportHandler(BaseHTTPRequestHandler):
    """Answers GET and HEAD; a subclass names what is published and the password."""

    published: PublishedRuns
    password: bytes
    timeout = 10
    server_version = "metacart"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer with a file, with the way to the current report, or with an error without details."""
        if not self._is_for_us():
            self._refuse(HTTPStatus.MISDIRECTED_REQUEST)
        elif not self._is_known():
            self._refuse(HTTPStatus.UNAUTHORIZED, {"WWW-Authenticate": 'Basic realm="metacart reports"'})
        else:
            try:
                self._serve(tuple(unquote(part) for part in urlsplit(self.path).path.split("/")[1:]))
            except NotServedError:
                self._refuse(HTTPStatus.NOT_FOUND)

    do_HEAD = do_GET  # noqa: N815 - the name that the base class calls

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        """Log nothing: the terminal belongs to the nights."""

    def _is_for_us(self) -> bool:
        """Tell a request for this machine from one of a page whose name was pointed at it."""
        _, port = cast("tuple[str, int]", self.server.server_address)
        return self.headers.get("Host", "") in {f"{HOST}:{port}", f"localhost:{port}"}

    def _is_known(self) -> bool:
        scheme, _, given = self.headers.get("Authorization", "").partition(" ")
        try:
            decoded = base64.b64decode(given.strip(), validate=True)
        except ValueError:
            return False
        return scheme.lower() == "basic" and hmac.compare_digest(decoded, self.password)

    def _serve(self, parts: tuple[str, ...]) -> None:
        if len(parts) == 2 and parts[1] == "":
            self._answer(HTTPStatus.FOUND, {"Location": self.published.current(parts[0])})
            return
        with os.fdopen(self.published.open(parts), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            kind = Path(parts[-1]).suffix
            headers = {"Content-Type": TYPES[kind], "Content-Length": str(size)}
            if kind != ".html":
                headers["Content-Disposition"] = "attachment"
            self._answer(HTTPStatus.OK, headers)
            while self.command == "GET" and (chunk := file.read(CHUNK)):
                self.wfile.write(chunk)

    def _refuse(self, status: HTTPStatus, headers: Mapping[str, str] | None = None) -> None:
        text = f"{status.value} {status.phrase}\n".encode()
        plain = {"Content-Type": "text/plain; charset=utf-8", "Content-Length": str(len(text))}
        self._answer(status, plain | dict(headers or {}))
        if self.command != "HEAD":
            self.wfile.write(text)

    def _answer(self, status: HTTPStatus, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": "0", **HEADERS, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
