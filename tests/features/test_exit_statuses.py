"""One table of exit statuses: the errors', the README's and the help page's are the same."""

import re
from pathlib import Path

import pytest

from features import errors
from features.exit_statuses import ExitStatus, status_table
from flows.commands.cli import execute

ROOT = Path(__file__).parents[2]
CLASSES = [
    found
    for found in vars(errors).values()
    if isinstance(found, type) and found.__module__ == errors.__name__
]


def test_the_numbers_are_those_of_sysexits_and_of_signals():
    numbers = {status.name: int(status) for status in ExitStatus}
    assert numbers == {
        "DONE": 0,
        "NOT_TRUSTED": 3,
        "USAGE": 64,
        "INPUT": 65,
        "FAILURE": 70,
        "RESOURCES": 73,
        "ACCESS": 74,
        "LOCKED": 75,
        "TIMED_OUT": 124,
        "INTERRUPTED": 130,
        "TERMINATED": 143,
    }


@pytest.mark.parametrize("error", CLASSES, ids=lambda found: found.__name__)
def test_every_error_has_a_status_of_the_table(error):
    assert isinstance(error.exit_status, ExitStatus)
    assert error.exit_status is not ExitStatus.DONE


def test_every_status_of_an_error_is_that_of_one():
    raised = {error.exit_status for error in CLASSES}
    others = {ExitStatus.DONE, ExitStatus.NOT_TRUSTED, ExitStatus.INTERRUPTED, ExitStatus.TERMINATED}
    assert raised | others == set(ExitStatus)


def test_the_readme_has_the_table():
    assert status_table() in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_help_page_has_the_table_and_the_pages_of_verbs_have_not(capsys):
    assert execute(["--help"]) == 0
    page = capsys.readouterr().out
    lines = re.findall(r"^ *(\d+) {2,}(.+?) *$", page, re.MULTILINE)
    assert lines == [(str(status.value), status.meaning.replace("`", "")) for status in ExitStatus]
    assert execute(["compare", "studies", "--help"]) == 0
    assert "exit status" not in capsys.readouterr().out
