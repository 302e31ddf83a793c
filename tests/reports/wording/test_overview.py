"""Which rounds a verdict rests on: one of them in the singular, one day named once."""

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from reports.wording.english import ENGLISH
from reports.wording.overview import basis

DAY = date(2026, 2, 10)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "Judged on 1 round, 2026-02-10, that nothing was fitted on."),
        (
            {"n_rounds": 400, "judged_from": date(2026, 2, 9)},
            "Judged on 400 rounds, 2026-02-09 to 2026-02-10,",
        ),
        ({"n_rounds": 400, "n_origins": 3}, "Judged on 400 rounds, 2026-02-10: learned anew at 3 dates"),
        ({"split_by": "user"}, "Judged on 1 round. The log has no times"),
    ],
)
def test_what_a_verdict_rests_on(changes: dict[str, Any], said: str) -> None:
    of_one = {"n_rounds": 1, "n_origins": 1, "judged_from": DAY, "judged_to": DAY, "split_by": "time"}
    assert basis(SimpleNamespace(**of_one | changes), ENGLISH).startswith(said)  # type: ignore[arg-type]
