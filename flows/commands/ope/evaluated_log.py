"""An evaluated file, whatever the shape of its rows: the inputs of an answer."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from features.contracts.findings import Finding
from features.errors import InputDataError
from offline_rl.ope.contrast import Valued
from offline_rl.ope.evaluated_policies import Evaluation
from offline_rl.ope.records import EvaluationRounds
from offline_rl.ope.trust.repeated_rows import Repetition
from reports.summaries.policy_answer import LoggedPropensities, ModeledPropensities

POLICY, LOGGED = "policy", "logging policy"


@dataclass(frozen=True, eq=False)
class EvaluatedLog:
    """One log with the values of two policies: the one in the file, and the logging policy.

    | field | meaning |
    |---|---|
    | unit | the unit that a value is per, in the singular: round, slate, session |
    | evaluation | of both policies, by all asked estimators |
    | asked | name as asked → its estimator; the first leads |
    | mean_reward | name of the estimator that gives the logging policy its mean reward |
    | units | policy → one round per unit |
    | n_rows | rows of the file |
    | propensities | their origin, and the evidence against them |
    | repetition | repeats of rows, None where rows can't be compared |
    | remarks | name as asked → remarks on that estimate |
    """

    unit: str
    evaluation: Evaluation
    asked: Mapping[str, Valued]
    mean_reward: str
    units: Mapping[str, EvaluationRounds]
    n_rows: int
    propensities: LoggedPropensities | ModeledPropensities
    repetition: Repetition | None
    remarks: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)


@contextmanager
def as_bad_data(path: Path) -> Iterator[None]:
    """Raise the errors of the mathematics about a file's rows as InputDataError with the file's name."""
    try:
        yield
    except ValueError as error:
        comma = "," if str(error).startswith("row ") else ":"
        raise InputDataError(f"{path}{comma} {error}") from error
