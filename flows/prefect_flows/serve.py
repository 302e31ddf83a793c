"""`metacart serve`: server, worker, deployments and reports in the foreground, stopped together.

Each child has a session of its own, so that a Ctrl-C of the terminal reaches this process alone, which then
ends them in order: first the nights, which tell the server how they ended, then worker and server.
"""

import fcntl
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import flows
from features.errors import LockedError, MetacartError, UsageError
from flows.interruption import begin, cleaning_up
from flows.json_files import read_json, write_json
from flows.prefect_flows import served_process
from flows.prefect_flows.configured_shops import ConfiguredShop
from flows.prefect_flows.credentials import GIVEN, auth_string, client_environment
from flows.prefect_flows.loopback import HOST
from flows.prefect_flows.process_tree import descendants, send, wait_for
from flows.prefect_flows.report_links import ReportLinks
from flows.prefect_flows.report_server import PublishedRuns, report_server
from flows.progress import LinePrinter
from flows.stage_log import LOG_JSON

SECONDS_TO_START = 180.0
SECONDS_FOR_NIGHTS = 2.0
SECONDS_FOR_SERVERS = 1.0
"""Together less than the five seconds in which everything must have stopped."""


@dataclass(frozen=True)
class ServePlan:
    """What to serve.

    shops: the first is that of nightly/nightly. home: the folder of Prefect's database and of the password.
    port, reports_port: on 127.0.0.1. when_busy: "cancel" or "queue" a second night of a shop.
    at_once: largest number of runs at a time. log_json: flow runs log JSON lines.
    """

    shops: tuple[ConfiguredShop, ...]
    home: Path
    port: int
    reports_port: int
    when_busy: str
    at_once: int
    log_json: bool = False

    @property
    def address(self) -> str:
        """The address of the server."""
        return f"http://{HOST}:{self.port}"

    @property
    def api_url(self) -> str:
        """The address of the server's API."""
        return f"{self.address}/api"

    @property
    def links(self) -> ReportLinks:
        """The addresses of the reports."""
        url = f"http://{HOST}:{self.reports_port}"
        return ReportLinks(url, {shop.name: shop.published for shop in self.shops})


def run_serve(plan: ServePlan, say: LinePrinter) -> None:
    """Serve until a signal, which is raised in this process as Stopped; all children have ended then.

    Raises LockedError if the home is in use, UsageError if a port is taken or the password is of no use, and
    MetacartError if the server does not start or a child ends by itself.
    """
    begin("the start")
    auth = auth_string(plan.home)
    with ExitStack() as stack:
        stack.enter_context(_only_one(plan))
        stack.enter_context(_reports(plan, auth))
        _refuse_taken(plan.port)
        children = stack.enter_context(_children(child_environment(plan, auth)))
        server = children.start("server", str(plan.port))
        _wait_for_server(plan, server)
        deployer = children.start("deploy", plan.when_busy, *(str(shop.config) for shop in plan.shops))
        if deployer.wait() != 0:
            raise MetacartError("The deployments could not be made: see the trace above.")
        worker = children.start("worker", str(plan.at_once))
        begin("serve")
        for line in welcome(plan):
            say(line)
        while server.poll() is None and worker.poll() is None:
            time.sleep(0.5)
        name = "The server" if server.poll() is not None else "The worker"
        raise MetacartError(
            f"{name} ended by itself: see its last lines above. Start `metacart serve` again."
        )


def welcome(plan: ServePlan) -> Iterator[str]:
    """Yield what to do next."""
    yield f"Prefect   {plan.address}"
    for shop in plan.shops:
        yield f"reports   {plan.links.of_shop(shop.name)}"
    yield "deployed  " + ", ".join(["nightly/nightly", *(f"nightly/{shop.name}" for shop in plan.shops)])
    yield "In another shell:"
    yield f'  eval "$(metacart serve --print-env --home {shlex.quote(str(plan.home))})"'
    yield "  prefect deployment run nightly/nightly"
    yield "A browser asks for the password: it is the variable PREFECT_API_AUTH_STRING there."
    yield "Ctrl-C stops everything."


def client_variables(home: Path) -> dict[str, str]:
    """Return the variables with which another shell reaches what is served from a home.

    Raises UsageError if nothing is served from there.
    """
    record = _record(home)
    if not record.is_file():
        raise UsageError(f"Nothing is served from {home}. Start `metacart serve` first, in another shell.")
    return client_environment(read_json(record)["api_url"], auth_string(home))


def child_environment(plan: ServePlan, auth: str) -> dict[str, str]:
    """Return the environment of server, worker and flow runs: this one, with the server's settings."""
    code = str(Path(next(iter(flows.__path__))).parent)
    paths = [code, *filter(None, [os.environ.get("PYTHONPATH")])]
    settings: Mapping[str, str] = {
        "PREFECT_HOME": str(plan.home),
        GIVEN: auth,
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": plan.address,
        "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "DO_NOT_TRACK": "1",
        # The default, pickle, would run what somebody wrote into the home.
        "PREFECT_RESULTS_DEFAULT_SERIALIZER": "json",
        "PREFECT_WORKER_QUERY_SECONDS": "2",
        # A night on the same cores makes the database slow; its waiting is not a failure.
        "PREFECT_SERVER_DATABASE_TIMEOUT": "60",
        "PREFECT_SERVER_DATABASE_CONNECTION_TIMEOUT": "60",
        "PYTHONPATH": os.pathsep.join(paths),
        **client_environment(plan.api_url, auth),
        **plan.links.variable,
    }
    return {**os.environ, **settings, **({LOG_JSON: "1"} if plan.log_json else {})}


@dataclass
class _Children:
    environment: Mapping[str, str]
    started: list[subprocess.Popen[bytes]]

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", served_process.__name__, *arguments]
        child = subprocess.Popen(  # noqa: S603
            command, env=dict(self.environment), stdin=subprocess.DEVNULL, start_new_session=True
        )
        self.started.append(child)
        return child

    def stop(self) -> None:
        """End the nights, then their worker and the server, then whatever is left."""
        own = [child.pid for child in self.started if child.poll() is None]
        nights = [pid for child in own for pid in descendants(child)]
        send(nights, signal.SIGTERM)
        left = wait_for(nights, SECONDS_FOR_NIGHTS)
        late = [pid for child in own for pid in descendants(child)]
        send({*left, *late}, signal.SIGKILL)
        send(own, signal.SIGTERM)
        self._reap(SECONDS_FOR_SERVERS)
        send({*descendants(os.getpid()), *late} & {*own, *late}, signal.SIGKILL)
        self._reap(SECONDS_FOR_SERVERS)

    def _reap(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while any(child.poll() is None for child in self.started) and time.monotonic() < deadline:
            time.sleep(0.05)


@contextmanager
def _children(environment: Mapping[str, str]) -> Iterator[_Children]:
    children = _Children(environment, [])
    try:
        yield children
    finally:
        with cleaning_up():
            children.stop()


@contextmanager
def _only_one(plan: ServePlan) -> Iterator[None]:
    """Lock the home, and record where it is served; two workers of one home would mark each other's runs."""
    plan.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (plan.home / "serve.lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockedError(
                f"`metacart serve` is already running with the home {plan.home}. Stop it first, or name "
                "another --home and other ports."
            ) from None
        record = _record(plan.home)
        write_json(record, {"api_url": plan.api_url, "reports_url": plan.links.url, "pid": os.getpid()})
        try:
            yield
        finally:
            record.unlink(missing_ok=True)


def _record(home: Path) -> Path:
    return home / "serving.json"


@contextmanager
def _reports(plan: ServePlan, auth: str) -> Iterator[None]:
    runs = PublishedRuns({shop.name: shop.published for shop in plan.shops})
    try:
        server = report_server(runs, auth, plan.reports_port)
    except OSError as error:
        raise _taken(plan.reports_port, "--reports-port", error) from error
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="reports", daemon=True)
    thread.start()
    try:
        yield
    finally:
        with cleaning_up():
            server.shutdown()
            server.server_close()


def _refuse_taken(port: int) -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError as error:
            raise _taken(port, "--port", error) from error


def _taken(port: int, option: str, error: OSError) -> UsageError:
    return UsageError(f"Port {port} can't be used: {error.strerror}. Name another one with {option}.")


def _wait_for_server(plan: ServePlan, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while not _is_healthy(plan):
        if server.poll() is not None:
            raise MetacartError("Prefect's server ended at its start: see its last lines above.")
        if time.monotonic() > deadline:
            raise MetacartError(f"Prefect's server did not answer within {SECONDS_TO_START:.0f} s.")
        time.sleep(0.2)


def _is_healthy(plan: ServePlan) -> bool:
    try:
        with urllib.request.urlopen(f"{plan.api_url}/health", timeout=2) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except OSError:
        return False
