"""A file that was read and evaluated, whatever its rows are: all that an answer is made of."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from features.errors import InputDataError
from offline_rl.ope.contrast import Valued
from offline_rl.ope.evaluation import Evaluation
from offline_rl.ope.records import EvaluationRounds
from offline_rl.ope.trust.repeated_rows import Repetition
from reports.summaries.policy_answer import LoggedPropensities, ModeledPropensities

POLICY, LOGGED = "policy", "logging policy"


@dataclass(frozen=True, eq=False)
class EvaluatedLog:
    """One log as two policies see it: the one in the file, and the one that logged it.

    | field | meaning |
    |---|---|
    | unit | what a value is per, in the singular: round, slate, session |
    | evaluation | of both policies, by all that was asked |
    | asked | name as asked → its estimator; the first leads |
    | mean_reward | name of the estimator by which the logging policy's value is what it earned |
    | units | policy → one round per unit |
    | n_rows | rows of the file |
    | propensities | where they come from, and what speaks against them |
    | repetition | how often rows repeat, None where they can't be compared |
    | remarks | name as asked → what must be said beside that estimate |
    """

    unit: str
    evaluation: Evaluation
    asked: Mapping[str, Valued]
    mean_reward: str
    units: Mapping[str, EvaluationRounds]
    n_rows: int
    propensities: LoggedPropensities | ModeledPropensities
    repetition: Repetition | None
    remarks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@contextmanager
def as_bad_data(path: Path) -> Iterator[None]:
    """What the mathematics refuses in a file is a fault of its rows: InputDataError with the file's name."""
    try:
        yield
    except ValueError as error:
        comma = "," if str(error).startswith("row ") else ":"
        raise InputDataError(f"{path}{comma} {error}") from error
