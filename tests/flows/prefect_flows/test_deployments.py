"""The schedule, on a real server: with the wrong SQLAlchemy it starts, deploys, and silently runs nothing."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
VERBS = {"ingest", "learn", "evaluate", "decide", "publish"}
PATIENCE_SECONDS = 90


@dataclass(frozen=True)
class Server:
    """A Prefect server on loopback with a home of its own."""

    address: str
    environment: dict[str, str]

    def prefect(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "prefect", "--no-prompt", *arguments]
        ended = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def ask(self, path: str, question: dict[str, Any]) -> Any:
        request = urllib.request.Request(
            f"{self.address}/{path}", json.dumps(question).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def is_up(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def wait_until(is_so, what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, f"{what} did not happen within {PATIENCE_SECONDS} s"
        time.sleep(0.5)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    address = f"http://127.0.0.1:{port}/api"
    environment = os.environ | {
        "PREFECT_HOME": str(tmp_path_factory.mktemp("prefect")),
        "PREFECT_API_URL": address,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    running = Server(address, environment)
    try:
        wait_until(running.is_up, "the server's start")
        running.prefect("work-pool", "create", "local", "--type", "process")
        running.prefect("deploy", "--all")
        yield running
    finally:
        process.terminate()
        process.wait(timeout=30)


def test_the_night_and_every_verb_are_deployed(server):
    names = {deployment["name"] for deployment in server.ask("deployments/filter", {})}
    assert names == {"nightly", *VERBS}


def test_the_nightly_run_is_scheduled(server):
    question = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}}
    wait_until(lambda: server.ask("flow_runs/filter", question), "the scheduling of a run")
    runs = server.ask("flow_runs/filter", question)
    assert all(run["auto_scheduled"] and run["expected_start_time"][11:16] == "04:15" for run in runs)


def test_two_nights_never_run_at_once(server):
    [nightly] = [found for found in server.ask("deployments/filter", {}) if found["name"] == "nightly"]
    assert nightly["global_concurrency_limit"]["limit"] == 1
    assert nightly["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"


def test_an_ad_hoc_run_takes_another_date(server):
    server.prefect("deployment", "run", "nightly/nightly", "-p", "as_of=2026-01-05")
    runs = server.ask("flow_runs/filter", {"sort": "START_TIME_DESC"})
    assert "2026-01-05" in {run["parameters"].get("as_of") for run in runs}
