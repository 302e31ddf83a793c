"""`metacart serve` for real: server, worker, deployments and reports, started and stopped."""

import base64
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from flows.commands.cli import execute
from flows.prefect_flows.configured_shops import ConfiguredShop
from flows.prefect_flows.deployments import deployments_of
from flows.prefect_flows.process_tree import descendants, is_alive, wait_for

ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 400
PREFECT = [sys.executable, "-m", "prefect", "--no-prompt"]
METACART = [sys.executable, "-m", "flows.commands.cli"]


def shop(name: str) -> ConfiguredShop:
    return ConfiguredShop(name, Path(f"/{name}.toml"), Path("/data"), Path(f"/data/published/{name}"))


def test_what_is_served_is_what_prefect_yaml_declares():
    declared = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    [first, own, *verbs] = deployments_of([shop("demo")], "queue")
    assert [first.name, *(verb.name for verb in verbs)] == [one["name"] for one in declared]
    [schedule] = declared[0]["schedules"]
    assert first.is_scheduled
    assert declared[0]["concurrency_limit"] == {"limit": 1, "collision_strategy": "CANCEL_NEW"}
    assert first.when_busy == "cancel"
    assert (schedule["cron"], schedule["timezone"]) == ("15 4 * * *", "UTC")
    assert (own.name, own.when_busy) == ("demo", "queue")
    assert not any(verb.is_scheduled or verb.when_busy for verb in verbs)


def test_each_shop_has_its_own_place_and_one_schedule():
    nights = [one for one in deployments_of([shop("a"), shop("b"), shop("c")], "cancel") if one.when_busy]
    assert [one.name for one in nights] == ["nightly", "a", "b", "c"]
    assert sorted(str(one.config) for one in nights if one.is_scheduled) == ["/a.toml", "/b.toml", "/c.toml"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--port", "0"], "is not a port"),
        (["--port", "4201"], "can't both have port 4201"),
        (["--at-once", "0"], "Run 1 or more nights"),
        (["--shops", "nowhere"], "is not a folder"),
        (["--print-env", "--home", "nowhere"], "Nothing is served from"),
    ],
)
def test_what_can_not_be_served_is_64(small_config, capsys, options, sentence):
    assert execute(["serve", "--config", str(small_config), *options]) == 64
    assert sentence in capsys.readouterr().err


def test_a_taken_port_is_64_and_nothing_is_left(small_config, tmp_path, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        options = ["--config", str(small_config), "--home", str(tmp_path), "--port", str(free_port())]
        assert execute(["serve", *options, "--reports-port", port]) == 64
    assert f"Port {port} can't be used" in capsys.readouterr().err
    assert not (tmp_path / "serving.json").exists()
    assert not any("served_process" in words(pid) for pid in descendants(os.getpid()))


def words(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text(errors="replace") if Path(f"/proc/{pid}").exists() else ""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass(frozen=True)
class Serving:
    """A `metacart serve` that runs, and how another shell reaches it."""

    process: subprocess.Popen[str]
    home: Path
    reports: str
    environment: dict[str, str]
    log: Path

    @property
    def auth(self) -> str:
        return self.environment["PREFECT_API_AUTH_STRING"]

    def prefect(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*PREFECT, *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def get(self, url: str, auth: str | None) -> tuple[int, bytes]:
        headers = {"Authorization": "Basic " + base64.b64encode(auth.encode()).decode()} if auth else {}
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def api(self, path: str, auth: str | None) -> tuple[int, bytes]:
        return self.get(f"{self.environment['PREFECT_API_URL']}/{path}", auth)


def wait_until(is_so: Callable[[], bool], what: str, serving: Serving) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, f"{what} did not happen: {serving.log.read_text()[-4000:]}"
        assert serving.process.poll() is None, serving.log.read_text()[-4000:]
        time.sleep(0.5)


def started(folder: Path, *options: str) -> Serving:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT")}
    environment |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    home, log, reports = folder / "home", folder / "serve.log", free_port()
    places = ["--home", str(home), "--port", str(free_port()), "--reports-port", str(reports)]
    with log.open("w") as file:
        process = subprocess.Popen(
            [*METACART, "serve", *places, *options],
            cwd=folder,
            env=environment,
            stdout=file,
            stderr=file,
            text=True,
        )
    serving = Serving(process, home, f"http://127.0.0.1:{reports}", dict(environment), log)
    wait_until(lambda: "Ctrl-C stops everything" in log.read_text(), "the start", serving)
    printed = subprocess.run(
        [*METACART, "serve", "--print-env", "--home", str(home)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for line in printed.splitlines():
        name, _, value = shlex.split(line)[1].partition("=")
        serving.environment[name] = value
    serving.environment["PREFECT_HOME"] = str(folder / "another shell")
    return serving


@pytest.fixture
def shops(small_config: Path, tmp_path: Path) -> Path:
    """A folder of two shops, `small` and `tiny`, with the same logs."""
    shutil.copytree(small_config.parents[1] / "logs", tmp_path / "shops" / "small")
    first = tmp_path / "shops" / "small" / "metacart.toml"
    text = small_config.read_text(encoding="utf-8").replace(str(small_config.parents[1]), str(tmp_path))
    first.write_text(text.replace('logs = "."', f'logs = "{first.parent}"'), encoding="utf-8")
    second = tmp_path / "shops" / "tiny.toml"
    text = first.read_text(encoding="utf-8").replace('name = "small"', 'name = "tiny"')
    text = text.replace("../data", "data")
    second.write_text(text.replace('key_file = "pseudonym.key"', 'key_file = "small/pseudonym.key"'), "utf-8")
    return tmp_path / "shops"


@pytest.fixture
def serving(shops: Path) -> Iterator[Serving]:
    running = started(shops.parent, "--shops", str(shops))
    below = descendants(running.process.pid)
    yield running
    for pid in [running.process.pid, *below]:
        if is_alive(pid):
            os.kill(pid, signal.SIGKILL)
    running.process.wait(30)


def runs(serving: Serving, state: str) -> list[str]:
    listed = serving.prefect("flow-run", "ls", "--state", state, "--output", "json", "--limit", "50")
    assert listed.returncode == 0, listed.stderr
    return [run["name"] for run in json.loads(listed.stdout)]


@pytest.mark.slow
def test_a_night_is_run_its_report_opens_and_one_signal_stops_everything(serving, shops):
    assert serving.api("deployments/count", None)[0] == 401
    assert serving.api("version", serving.auth)[0] == 200
    assert serving.api("version", "metacart:guess")[0] == 401

    for bad, sentence in [
        ("as_of=2100-01-01", "is not over yet"),
        ("config=nowhere.toml", "no configuration file"),
        (f"config={shops / 'tiny.toml'}", "nightly/small runs small"),
    ]:
        refused = serving.prefect("deployment", "run", "nightly/small", "-p", bad)
        assert refused.returncode == 1
        assert sentence in " ".join((refused.stdout + refused.stderr).split())
    wait_until(lambda: bool(runs(serving, "SCHEDULED")), "a schedule", serving)

    asked = serving.prefect("deployment", "run", "nightly/nightly", "--watch")
    assert asked.returncode == 0, asked.stdout + asked.stderr + serving.log.read_text()[-4000:]
    logged = serving.log.read_text()
    for stage in ("ingest", "learn", "evaluate", "decide", "publish"):
        assert f"{stage}: " in logged
        assert f"{stage} begins" in logged
    assert "verdicts: recommendation " in logged

    status, page = serving.api("artifacts/night-small/latest", serving.auth)
    assert status == 200
    text = json.loads(page)["data"]
    [link] = [part.split(")")[0] for part in text.split("[Open the report](")[1:]]
    assert link.startswith(serving.reports)
    assert serving.get(link, None)[0] == 401
    status, report = serving.get(link, serving.auth)
    assert status == 200
    assert b"<title>small, night of " in report
    assert serving.get(f"{serving.reports}/small/", serving.auth) == (200, report)

    # Stop while a night learns.
    config = shops / "tiny.toml"
    config.write_text(config.read_text("utf-8").replace("max_steps = 10", "max_steps = 100000"), "utf-8")
    assert serving.prefect("deployment", "run", "nightly/tiny").returncode == 0
    wait_until(lambda: serving.log.read_text().count("learn begins") == 2, "the second night", serving)
    below = descendants(serving.process.pid)
    began = time.monotonic()
    serving.process.send_signal(signal.SIGINT)
    assert serving.process.wait(30) == 130
    assert time.monotonic() - began < 5
    assert wait_for(below, 0.5) == []
    words = serving.log.read_text()
    assert "stopped by a signal during learn; what was done is kept" in words
    assert "metacart: stopped by SIGINT during serve" in words
    warehouse = {path.name for path in (shops / "data" / "warehouse").iterdir()}
    assert warehouse == {"small.duckdb", "small.lock", "tiny.duckdb", "tiny.lock"}
    assert not (serving.home / "serving.json").exists()


@pytest.mark.slow
def test_a_night_that_was_killed_with_its_server_does_not_hold_its_shop(serving, shops):
    config = shops / "tiny.toml"
    usual = config.read_text("utf-8")
    config.write_text(usual.replace("max_steps = 10", "max_steps = 100000"), "utf-8")
    assert serving.prefect("deployment", "run", "nightly/tiny").returncode == 0
    wait_until(lambda: "learn begins" in serving.log.read_text(), "the night", serving)
    assert serving.prefect("deployment", "run", "nightly/tiny").returncode == 0
    wait_until(lambda: len(runs(serving, "CANCELLED")) == 1, "the cancellation of the second", serving)

    below = descendants(serving.process.pid)
    serving.process.kill()
    serving.process.wait(30)
    assert wait_for(below, 30.0) == [], "children outlived a parent that was killed"

    config.write_text(usual, "utf-8")
    again = started(shops.parent, "--shops", str(shops))
    try:
        assert len(runs(again, "CRASHED")) == 1
        asked = again.prefect("deployment", "run", "nightly/tiny", "--watch")
        assert asked.returncode == 0, asked.stdout + asked.stderr + again.log.read_text()[-4000:]
    finally:
        again.process.terminate()
        assert again.process.wait(30) == 143
