"""What a command writes while its stages run, and what it says of a stage when it is stopped."""

import json

import pytest

from flows.commands.stage_lines import StageLines
from flows.interruption import Stop, stopping
from flows.night_folder import STAGES
from flows.settings import read_settings
from flows.stage_events import Says, StageBegins, StageEnded, StageSkipped
from flows.workspace import Workspace


@pytest.fixture
def workspace(small_config, small_night) -> Workspace:
    found = Workspace(read_settings(small_config))
    found.remember(small_night.night)
    return found


@pytest.mark.parametrize("stage", STAGES)
def test_a_stop_names_the_stage_that_runs(workspace, stage):
    lines = StageLines(workspace, as_json=False)
    with stopping(Stop("run", "metacart run")) as stop:
        for earlier in STAGES[: STAGES.index(stage)]:
            lines(StageBegins(earlier))
            lines(StageEnded(earlier, 1.0))
        lines(StageBegins(stage))
        assert stop.doing == stage


def test_a_stage_that_is_skipped_is_never_what_runs(workspace, capsys):
    lines = StageLines(workspace, as_json=False)
    with stopping(Stop("run", "metacart run")) as stop:
        lines(StageBegins("ingest"))
        lines(StageEnded("ingest", 1.0))
        lines(StageSkipped("learn"))
        lines(StageBegins("evaluate"))
        assert stop.doing == "evaluate"
        lines(StageBegins("publish"))
        lines(StageEnded("publish", 0.5))
        assert stop.doing == "the end of the night"
    assert capsys.readouterr().out.splitlines() == [
        "  ingest       1.00 s",
        "  learn        done by an earlier run of this night",
        "  publish      0.50 s",
    ]


def test_a_line_that_begins_like_a_stage_is_only_a_line(workspace, capsys):
    lines = StageLines(workspace, as_json=True)
    with stopping(Stop("run", "metacart run")) as stop:
        lines(StageBegins("learn"))
        lines(Says("publish is what this line begins with"))
        assert stop.doing == "learn"
    assert capsys.readouterr().err == ""


def test_a_json_line_is_of_each_stage_that_ended(workspace, capsys):
    lines = StageLines(workspace, as_json=True)
    for stage in ("ingest", "learn"):
        lines(StageBegins(stage))
        lines(StageEnded(stage, 2.5))
    lines(StageSkipped("evaluate"))
    written = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["stage"], line["seconds"]) for line in written] == [("ingest", 2.5), ("learn", 2.5)]
