"""The two forms of a policy that serves: before and after it has learned from the holdout of its night."""

from collections.abc import Mapping
from typing import Literal

Form = Literal["served", "evaluated"]
"""A policy as it serves, after its last fit, and before that. The holdout of the next night has mostly the
same rounds, so it may evaluate the second form alone."""

TAUGHT_BY: Mapping[Form, str] = {"served": "known", "evaluated": "training"}
"""Form → the window of rounds that teach it (`offline_rl.logged_data`)."""
