"""What one log says about one policy: the record that the terminal, the JSON line and the page print."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import ClassVar, Literal

from features.contracts.findings import Finding as Reason
from reports.summaries.formatting import Estimate, RewardFormat

MOST_DECIMALS = 9

Finding = Literal["gain", "loss", "none", "rounding", "unknown"]
"""What a difference shows: a gain, a loss, neither, no more than rounding may make, or nothing for want of an
interval."""


@dataclass(frozen=True)
class Difference:
    """A policy's value less what the log itself earned, on the same rounds; None where it is not known."""

    value: float | None
    lower: float | None
    upper: float | None

    def finding(self, resolution: float) -> Finding:
        """Return what its interval shows, given the least difference that is not rounding.

        >>> Difference(0.2, 0.1, 0.3).finding(1e-6), Difference(9e-8, 8e-8, 1e-7).finding(1e-6)
        ('gain', 'rounding')
        """
        if self.lower is None or self.upper is None:
            return "unknown"
        if self.lower > resolution:
            return "gain"
        if self.upper < -resolution:
            return "loss"
        return "none" if self.lower <= 0 <= self.upper else "rounding"


@dataclass(frozen=True)
class EstimatedValue:
    """A policy's value by one estimator, named as it was asked; None where the log identifies no value.

    difference: the value less that of the log; None for the log itself. interval_findings: how the interval
    was made, first by which method, and what it is worth.
    """

    estimator: str
    value: float | None
    lower: float | None
    upper: float | None
    interval_findings: tuple[Reason, ...]
    difference: Difference | None = None


@dataclass(frozen=True)
class Repeats:
    """Rows that are the same as an earlier one in every column.

    n_repeated: how many of n_rows; doubt: why that is more than chance, None where it is not. None for
    n_repeated: rows could not be compared.
    """

    n_rows: int
    n_repeated: int | None
    doubt: Reason | None = None


@dataclass(frozen=True)
class RobustAnswer:
    """What can be said beside the estimates of rewards with a heavy tail; the kinds and fields are those of
    `offline_rl.ope.robust_values.RobustValue`.
    """

    kind: str
    value: float | None
    lower: float
    upper: float | None
    cap: float | None
    n_capped: int | None
    bias_bound: float | None


@dataclass(frozen=True)
class WeightBand:
    """Rounds with a weight above `least` up to `most`: their share, and their share of all weight.

    The band of weight 0 has both ends 0. Shares are 0..1.
    """

    least: float
    most: float
    share_of_rounds: float
    share_of_weight: float


@dataclass(frozen=True)
class LoggedPropensities:
    """What an audit found about propensities that were logged, by n_tests tests."""

    findings: tuple[Reason, ...]
    n_tests: int

    note: ClassVar[None] = None
    """What is said beside every value: nothing."""

    cautions: ClassVar[tuple[Reason, ...]] = ()
    """What must be said beside the answer even where it is trusted: nothing."""

    @property
    def is_consistent(self) -> bool:
        """Whether the propensities agree with the actions that were logged."""
        return not self.findings

    @property
    def doubts(self) -> tuple[Reason, ...]:
        """Why values that rest on them are not to be trusted."""
        return self.findings


@dataclass(frozen=True)
class ModeledPropensities:
    """Propensities that a model estimated from contexts.

    note: what is said beside every value. assumption: that without which no value is to be read.
    remarks: what the estimation showed. calibration_error: share of choices promised to the
    wrong bin of probability, good up to max_calibration_error. foreseen_share: how often the context
    predicts the action; is_identified: False where it does so nearly always.
    """

    note: Reason
    assumption: Reason
    remarks: tuple[Reason, ...]
    calibration_error: float
    max_calibration_error: float
    foreseen_share: float
    is_identified: bool

    @property
    def is_calibrated(self) -> bool:
        """Whether the estimated probabilities are near enough to the choices."""
        return self.calibration_error <= self.max_calibration_error

    @property
    def doubts(self) -> tuple[Reason, ...]:
        """Why values that rest on them are not to be trusted."""
        return () if self.is_identified and self.is_calibrated else self.remarks

    @property
    def cautions(self) -> tuple[Reason, ...]:
        """What must be said beside the answer even where it is trusted."""
        return (self.assumption,) if self.doubts else (self.assumption, *self.remarks)


@dataclass(frozen=True)
class PolicyAnswer:
    """Estimates, diagnostics and verdict of one evaluation policy; the first estimate leads.

    logged: what the log itself earned, the mean reward of its own policy. resolution: the least difference
    that is not rounding, in the reward's unit. repeats: rows that occur more than once.

    cluster: column whose rounds belong together, empty where every round is its own cluster.
    propensities: where they come from, and what speaks against them.
    diagnostics: numbers by the names of `offline_rl.ope.trust.diagnostics`; NaN and infinity mean not known.
    limits: what the gate asks of them, by the names of its settings. gate_mean_weight: the mean weight's
    interval at the gate's own confidence. robust: empty unless rewards have a heavy tail. shape: what the
    rows are; unit: what a value is per, and what n_rounds counts: round, slate or session.
    """

    source: str
    n_rounds: int
    cluster: str
    confidence: float
    n_resamples: int
    seed: int
    propensities: LoggedPropensities | ModeledPropensities
    logged: EstimatedValue
    estimates: tuple[EstimatedValue, ...]
    resolution: float
    repeats: Repeats
    diagnostics: Mapping[str, float]
    limits: Mapping[str, float]
    gate_mean_weight: tuple[float, float]
    trusted: bool
    reasons: tuple[Reason, ...]
    weight_bands: tuple[WeightBand, ...]
    robust: tuple[RobustAnswer, ...] = ()
    shape: str = "rounds"
    unit: str = "round"

    @property
    def units(self) -> str:
        """What n_rounds counts, in the plural."""
        return f"{self.unit}s"

    @property
    def leading(self) -> EstimatedValue:
        """The estimate that is the answer where it can be trusted."""
        return self.estimates[0]

    @property
    def reward(self) -> RewardFormat:
        """How values are written: with two digits of a typical interval's half width, however small."""
        return _format_of([(e.value, e.lower, e.upper) for e in self.estimates])

    @property
    def robust_reward(self) -> RewardFormat:
        """The same for robust answers: one huge order widens the plain intervals only."""
        return _format_of([(e.value, e.lower, e.upper) for e in self.robust])

    @property
    def difference(self) -> Difference:
        """The leading estimate less what the log earned."""
        return self.leading.difference or Difference(None, None, None)

    @property
    def difference_format(self) -> RewardFormat:
        """How differences are written: a small one between large values keeps its digits."""
        found = [e.difference for e in self.estimates if e.difference]
        return _format_of([(d.value, d.lower, d.upper) for d in found])


def _format_of(estimates: Sequence[Estimate]) -> RewardFormat:
    halves = [(upper - lower) / 2 for _, lower, upper in estimates if upper is not None and lower is not None]
    sizes = [half for half in halves if half > 0] or [abs(value) for value, *_ in estimates if value]
    return RewardFormat("", 1.0, _decimals(median(sizes)) if sizes else 2)


def _decimals(size: float) -> int:
    """Decimals that show two digits of a number.

    >>> _decimals(0.00012), _decimals(0.03), _decimals(250.0)
    (5, 3, 0)
    """
    return min(MOST_DECIMALS, max(0, 1 - math.floor(math.log10(size))))
