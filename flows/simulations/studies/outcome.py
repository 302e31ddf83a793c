"""Outcomes: the results of one learner in one study, as one JSON line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from flows.ledger import read_lines


@dataclass(frozen=True)
class Outcome:
    """The results of one learner in one study; lists are over its test segments, in rising order.

    config_sha256: hash of the frozen configuration, see run.py.
    segments: their positions. rounds: in the holdout of each.
    logging, oracle, true: true values. dr: the estimate of `true` from the log.
    before_refit: true values with a pooled model that was not fitted on the test segments, see
        offline_rl.meta.refit.
    gain_in_errors: the estimated gain over the pooled model in its own standard errors.
    validation_gain, likelihood_gain: the gains by which the night chooses, see offline_rl.meta.choice; the
        latter is None where scores are not a reward model.
    lead: of learners that are fitted in one step; they are ordered by it, before the others.
    asks: whether it would be a contender at all.
    adapts: whether a segment's policy can differ from the zero-shot one.
    steps: K → share of the gap closed with K gradient steps. support: rounds of support → the same, "all"
        last; both before the refit, which uses all of the support. Empty for a learner without gradient
        steps, one that doesn't adapt, and a run without curves.
    ips, snips: other estimates of the value, over all rounds.
    ess, largest_weight: of the importance weights. weight_in_errors: their mean less 1, in standard errors.
    train_seconds, judge_seconds: processor time, so that other processes don't count; the shared warm start
        counts for the pooled model.
    """

    world: str
    seed: int
    learner: str
    config_sha256: str
    segments: list[int]
    rounds: list[int]
    logging: list[float]
    oracle: list[float]
    true: list[float]
    before_refit: list[float]
    dr: list[float]
    gain_in_errors: list[float]
    validation_gain: float
    likelihood_gain: float | None
    lead: float | None
    asks: bool
    adapts: bool
    notes: list[str]
    steps: Mapping[str, float]
    support: Mapping[str, float]
    ips: float
    snips: float
    ess: float
    largest_weight: float
    weight_in_errors: float
    train_seconds: float
    judge_seconds: float

    @property
    def share(self) -> float:
        """The share of the gap from logging to oracle that is closed, with equal weight of all segments."""
        return self._share(self.true)

    @property
    def share_before_refit(self) -> float:
        """The share of the gap with a pooled model that was not fitted on the test segments' support."""
        return self._share(self.before_refit)

    def _share(self, value: Sequence[float]) -> float:
        return (sum(value) - sum(self.logging)) / (sum(self.oracle) - sum(self.logging))


def read_outcomes(path: Path, config_sha256: str) -> list[Outcome]:
    """Return the outcomes of one frozen configuration."""
    return [Outcome(**line) for line in read_lines(path) if line["config_sha256"] == config_sha256]
