"""The gate of one domain: which rounds each contender is evaluated on, and the election."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Self

from features.contracts.findings import Finding
from offline_rl.ope.evaluated_policies import Evaluation
from offline_rl.ope.records import EvaluationRounds
from offline_rl.ope.trust.verdict import GateSettings, unproven_lead
from offline_rl.registry import LOGGING, Contenders, Election, elect
from offline_rl.segment_choice import SegmentChoice, choose_segments

ESTIMATOR = "dr"


@dataclass(frozen=True)
class Evidence:
    """An evaluation, and the days of its rounds.

    choices: contender → the segments it would serve; the evaluation is of the policies that serve then.
    n_by_day: day → number of rounds that were decided on it. n_origins: number of dates that policies are
    evaluated from. split_by: what decided which rounds they are evaluated on.
    """

    evaluation: Evaluation
    choices: Mapping[str, SegmentChoice]
    n_by_day: Mapping[date, int]
    n_origins: int
    split_by: str

    @property
    def judged_from(self) -> date:
        """The first day of its rounds."""
        return min(self.n_by_day)

    @property
    def judged_to(self) -> date:
        """The last day of its rounds."""
        return max(self.n_by_day)

    @property
    def n_rounds(self) -> int:
        """Number of its rounds."""
        return sum(self.n_by_day.values())

    def n_after(self, day: date) -> int:
        """Return the number of its rounds that were decided after a day."""
        return sum(n_rounds for decided, n_rounds in self.n_by_day.items() if decided > day)

    @classmethod
    def of(
        cls,
        by_policy: Mapping[str, EvaluationRounds],
        contenders: Collection[str],
        terms: "GateTerms",
        *,
        n_by_day: Mapping[date, int],
        n_origins: int,
    ) -> Self:
        """Return the evidence of rounds that were decided on these days.

        by_policy: policy → the rounds as it sees them. contenders: those that would serve by segment.
        """
        choices = {
            name: terms.chosen(by_policy[name], by_policy[terms.today])
            for name in contenders
            if name in by_policy
        }
        served = dict(by_policy) | {name: choice.served for name, choice in choices.items()}
        return cls(terms.evaluate(served), choices, n_by_day, n_origins, terms.split_by)


@dataclass(frozen=True)
class GateTerms:
    """How a domain's evidence is evaluated.

    evaluate: policies by name → their evaluation. today: the policy that serves today.
    protected: segments that keep it. keep_above: see `offline_rl.segment_choice`.
    """

    evaluate: Callable[[Mapping[str, EvaluationRounds]], Evaluation]
    today: str
    protected: tuple[int, ...]
    keep_above: float
    seed: int
    split_by: str

    def chosen(self, candidate: EvaluationRounds, today: EvaluationRounds) -> SegmentChoice:
        """Return the segments that a candidate would serve."""
        return choose_segments(
            candidate,
            today,
            self.evaluate,
            estimator=ESTIMATOR,
            keep_above=self.keep_above,
            protected=self.protected,
            seed=self.seed,
        )


@dataclass(frozen=True)
class Gate:
    """The evidence that contenders are compared on.

    evidence: contender → the rolling evidence, where it can be learned anew from earlier days
        (`offline_rl.rolling_evaluation`), or else the holdout's.
    withheld: why nothing may be promoted, whatever the evidence says; None where it decides.
    """

    today: str
    evidence: Mapping[str, Evidence]
    withheld: Finding | None = None

    def choice_of(self, policy: str) -> SegmentChoice:
        """Return the segments that a contender would serve."""
        return self.evidence[policy].choices[policy]

    def elect(self, contenders: Contenders, asked: GateSettings) -> Election:
        """Compare the contenders in their order; the promoted one is also compared with the constant ones.

        asked: what the configuration demands of evidence.
        """
        election = elect(
            lambda policy: self.evidence[policy].evaluation,
            contenders.wanted,
            LOGGING,
            self.today,
            asked,
            cautious=contenders.cautious,
        )
        overall = election.overall
        if self.withheld is not None:
            held = replace(overall, verdict="hold", reasons=(self.withheld,))
            return replace(election, overall=held, champion=election.incumbent)
        if overall.verdict != "promote" or overall.candidate in contenders.constant:
            return election
        evaluation = self.evidence[overall.candidate].evaluation
        said = [
            unproven_lead(evaluation, overall.candidate, name, asked)
            for name in contenders.constant
            if name in evaluation.policies
        ]
        reasons = (*overall.reasons, *(reason for reason in said if reason))
        return replace(election, overall=replace(overall, reasons=reasons))
