"""Advice after a failure: every status has one, and the runbook's is the same."""

from pathlib import Path

import pytest

from features.exit_statuses import ExitStatus
from flows.attempts.alerts.advice import ADVICE, advice_for

RUNBOOK = (Path(__file__).parents[4] / "flows" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("status", ExitStatus)
def test_the_runbook_has_the_advice_of_every_failed_night(status):
    if status in {ExitStatus.DONE, ExitStatus.NOT_TRUSTED}:
        assert status not in ADVICE
    else:
        assert f"| {status.value} | {status.meaning} | {advice_for(status)} |" in RUNBOOK
