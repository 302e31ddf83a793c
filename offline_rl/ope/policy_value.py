"""The results of an evaluation: the value of one policy, and the difference of two."""

from dataclasses import dataclass

from features.contracts.findings import Finding, described

WHOLE_LOG = None
"""Segment of a result over the whole log: no segment."""


@dataclass(frozen=True)
class PolicyValue:
    """What one policy is worth by one estimator, in one segment (None: in the whole log).

    value, lower and upper are in the reward's unit per round; `Diagnostics` explains the other columns.
    interval_findings: how the interval was made, first by which method, and what it is worth.
    """

    policy: str
    segment: int | None
    estimator: str
    value: float
    lower: float
    upper: float
    n_rounds: int
    n_users: int
    ess: float
    mean_weight: float
    max_weight: float
    supported_share: float
    interval_findings: tuple[Finding, ...]

    @property
    def interval_method(self) -> str:
        """How the interval was made and what it is worth, in the words of the data dictionary."""
        return described(self.interval_findings)


@dataclass(frozen=True)
class Difference:
    """Value of a policy less the value of another, on the same rounds and the same resamples."""

    policy: str
    other: str
    value: float
    lower: float
    upper: float
