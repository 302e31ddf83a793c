"""The order of a night, whoever runs its stages."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from features.errors import LockedError
from flows.night_folder import STAGES
from flows.stage_events import NightEvent, StageBegins, StageEnded, StageSkipped
from flows.stages.decide import decide
from flows.stages.evaluate import evaluate
from flows.stages.ingest import ingest
from flows.stages.learn import learn
from flows.stages.publish import publish
from flows.stages.stage_order import NightStages, run_in_order
from flows.workspace import Workspace
from tests.flows.spend_shop import spend_shop


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    return spend_shop(tmp_path / "shop")


def stages_of(shop: Workspace) -> NightStages:
    return NightStages(
        ingest=lambda: ingest(shop, None),
        learn=lambda night: learn(shop, night),
        evaluate=lambda night: evaluate(shop, night),
        decide=lambda night: decide(shop, night),
        publish=lambda night: publish(shop, night),
    )


def names(events: list[NightEvent], kind: type) -> list[str]:
    return [event.stage for event in events if isinstance(event, kind)]


def test_each_stage_begins_and_ends_once_in_order(shop):
    events: list[NightEvent] = []
    run = run_in_order(shop, stages_of(shop), events.append)
    assert names(events, StageBegins) == names(events, StageEnded) == list(STAGES)
    assert run.seconds.keys() == set(STAGES)
    assert run.published.folder == shop.nights.current().path
    assert (shop.night_folder(run.night.run_id).path / "seconds.json").is_file()


def test_a_stage_that_fails_does_not_end_and_the_next_run_skips_those_that_did(shop):
    def fail(_night: object) -> None:
        raise OSError

    events: list[NightEvent] = []
    with pytest.raises(OSError):
        run_in_order(shop, replace(stages_of(shop), decide=fail), events.append)
    assert names(events, StageBegins) == ["ingest", "learn", "evaluate", "decide"]
    assert names(events, StageEnded) == ["ingest", "learn", "evaluate"]
    again: list[NightEvent] = []
    run_in_order(shop, stages_of(shop), again.append)
    assert names(again, StageSkipped) == ["learn", "evaluate"]
    assert names(again, StageBegins) == ["ingest", "decide", "publish"]


def test_all_stages_run_with_the_shop_locked(shop):
    def locked(stage: Callable[[], object]) -> Callable[[], object]:
        def run() -> object:
            with pytest.raises(LockedError), shop.locked():
                pass
            return stage()

        return run

    stages = stages_of(shop)
    run_in_order(shop, replace(stages, ingest=locked(stages.ingest)), lambda _event: None)
