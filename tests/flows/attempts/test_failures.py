"""What an error means: its status, its sentence, and what of it may leave the machine."""

import duckdb
import pytest

from features.errors import InputDataError
from flows.attempts.failures import failure_by, failure_of
from flows.interruption import TIME_IS_UP, Limit, Stop
from flows.json_files import read_json


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InputDataError("A column is missing."), 65),
        (OSError(28, "No space left on device"), 73),
        (PermissionError(13, "Permission denied"), 74),
        (duckdb.IOException("Corrupt database file"), 65),
        (ValueError("ann"), 70),
    ],
)
def test_each_error_has_its_status(error, status):
    assert failure_of(error).exit_status == status


def test_an_error_inside_is_mailed_by_its_place_alone():
    with pytest.raises(AttributeError) as raised:
        read_json("no path")  # type: ignore[arg-type]
    raised.value.args = ("could not convert ann@example.com",)
    failure = failure_of(raised.value)
    assert "ann@example.com" in failure.sentence
    assert "ann" not in failure.sentence_for_mail
    assert "at flows/json_files.py, line " in failure.sentence_for_mail


def test_a_sentence_of_ours_is_mailed_as_it_is():
    failure = failure_of(InputDataError("A column is missing."))
    assert failure.sentence_for_mail == failure.sentence == "A column is missing."


def test_a_stop_has_the_status_of_its_signal():
    assert failure_by(Stop("learn", "metacart run", signum=15)).exit_status == 143
    timed_out = failure_by(Stop("learn", "metacart run", signum=TIME_IS_UP, limit=Limit("learn_minutes", 5)))
    assert timed_out.exit_status == 124
    assert "stopped after 5 minutes (time_limits.learn_minutes) during learn" in timed_out.sentence
