"""The nightly flow without a server: the same order, and its failures are reported as a shell's are."""

import json
import logging
from pathlib import Path
from types import ModuleType

import pytest
from prefect.exceptions import TerminationSignal

from features.errors import ResourceError, TimeLimitError, UsageError
from flows.attempts.time_limits import limited
from flows.interruption import TIME_IS_UP, Stop, stopping
from flows.operating_settings import TimeLimits
from flows.prefect_flows import nightly as module
from flows.prefect_flows import spoken_stages
from flows.prefect_flows.nightly import failure_of_flow
from flows.prefect_flows.spoken_stages import spoken
from flows.stage_events import StageBegins
from flows.stages import decide, evaluate, ingest, learn, publish
from flows.workspace import Workspace
from tests.flows.spend_shop import spend_shop

LOGGER = logging.getLogger("tests.nightly")


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    return spend_shop(tmp_path / "shop")


@pytest.fixture
def flow(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module of the flow, whose tasks are called without a server."""
    monkeypatch.setattr(module, "ingest_task", ingest.ingest)
    monkeypatch.setattr(module, "learn_task", learn.learn)
    monkeypatch.setattr(module, "evaluate_task", evaluate.evaluate)
    monkeypatch.setattr(module, "decide_task", decide.decide)
    monkeypatch.setattr(module, "publish_task", publish.publish)
    monkeypatch.setattr(module, "get_run_logger", lambda: LOGGER)
    monkeypatch.setattr(module, "show_night", lambda *_what: None)
    monkeypatch.setattr(spoken_stages, "get_run_logger", lambda: LOGGER)
    return module


def run(shop: Workspace, flow: ModuleType) -> dict[str, str]:
    return flow.nightly.fn(shop.settings.shop.logs / "metacart.toml")


def freshness(shop: Workspace) -> dict:
    return json.loads((shop.published / "freshness.json").read_text())


def test_a_night_is_published_and_fresh(shop, flow):
    result = run(shop, flow)
    assert freshness(shop)["run_id"] == result["run_id"]
    assert freshness(shop)["last_attempt"]["exit_status"] == 0
    assert not shop.heartbeat.exists()


def test_a_passing_fault_is_tried_again_in_any_stage(shop, flow, monkeypatch, caplog):
    waits: list[float] = []

    def fail_once(workspace, night):
        if not waits:
            raise ResourceError("The disk is full.")
        decide.decide(workspace, night)

    monkeypatch.setattr(flow, "decide_task", fail_once)
    monkeypatch.setattr(flow.time, "sleep", waits.append)
    with caplog.at_level(logging.INFO, LOGGER.name):
        run(shop, flow)
    assert waits == [300.0]
    assert "Try 1 of 1 more begins in 300 s" in caplog.text
    assert "learn: done by an earlier run of this night" in caplog.text


def test_a_signal_of_prefect_is_reported_as_one(shop, flow, monkeypatch):
    def stop(*_arguments):
        raise TerminationSignal(signal=15)

    monkeypatch.setattr(flow, "learn_task", stop)
    with pytest.raises(TerminationSignal):
        run(shop, flow)
    words = (shop.published / "last_failure.txt").read_text()
    assert "(143: stopped by SIGTERM)" in words
    assert "stopped by SIGTERM; what was done is kept" in words
    assert freshness(shop)["last_attempt"]["stage"] == "learn"


def test_a_refused_configuration_is_reported(shop, flow):
    config = shop.settings.shop.logs / "metacart.toml"
    config.write_text(config.read_text().replace("seed = 0", "sede = 0"))
    with pytest.raises(UsageError):
        run(shop, flow)
    assert "night.sede is not a known key" in (shop.published / "last_failure.txt").read_text()


def test_errors_have_the_statuses_of_the_command():
    assert failure_of_flow(TerminationSignal(signal=2)).exit_status == 130
    assert failure_of_flow(TimeLimitError("It took too long.")).exit_status == 124
    assert failure_of_flow(OSError(28, "No space left on device")).exit_status == 73


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_limit_inside_a_stage_fails_the_run_with_its_sentence(shop, flow):
    clock = Clock()
    with (
        pytest.raises(TimeLimitError, match=r"after 5 minutes \(time_limits.learn_minutes\)"),
        limited(TimeLimits(learn_minutes=5), "the run", clock=clock, seconds_between=0.01) as deadlines,
    ):
        deadlines(StageBegins("learn"))
        with spoken(shop, "learn"):
            clock.seconds = 300
            while True:
                sum(range(1000))


def test_another_signal_inside_a_stage_stays_prefect_s(shop, flow):
    with (
        pytest.raises(TerminationSignal),
        stopping(Stop("learn", "the run"), by=(TIME_IS_UP,)),
        spoken(shop, "learn"),
    ):
        raise TerminationSignal(signal=15)
