"""The gate of one domain: which rounds each contender is judged on, the election, and out_verdicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

import polars as pl

from features.contracts.outputs import Verdicts
from flows.contenders import INCUMBENT, LOGGING, Contenders
from flows.settings import Settings
from offline_rl.ope.evaluation import Evaluation
from offline_rl.ope.trust.selection import discounted_lead
from offline_rl.ope.trust.verdict import GateSettings, Verdict
from offline_rl.registry import Election, elect

ALL = "all"

ESTIMATOR = "dr"


@dataclass(frozen=True)
class Evidence:
    """An evaluation, and the first and last day of its rounds.

    n_origins: how many dates it judges from. split_by: what decided which rounds judge.
    """

    evaluation: Evaluation
    judged_from: date
    judged_to: date
    n_origins: int
    split_by: str

    @classmethod
    def of(cls, evaluation: Evaluation, decided_at: pl.Series, n_origins: int, split_by: str) -> Self:
        """The evidence of rounds that were decided at these moments."""
        days: list[date] = decided_at.dt.date().unique().to_list()
        return cls(evaluation, min(days), max(days), n_origins, split_by)


@dataclass(frozen=True)
class Gate:
    """What contenders are judged by.

    holdout: all policies. rolling: those that can be learned anew from earlier days
    (`offline_rl.rolling_evaluation`); None where the holdout alone judges.
    """

    holdout: Evidence
    rolling: Evidence | None

    def evidence_of(self, policy: str) -> Evidence:
        """The rolling evidence of a policy that has any, else the holdout's."""
        if self.rolling is not None and policy in self.rolling.evaluation.policies:
            return self.rolling
        return self.holdout

    def elect(self, contenders: Contenders, settings: Settings) -> Election:
        """Let the contenders ask, in their order."""
        return elect(
            lambda policy: self.evidence_of(policy).evaluation,
            [policy.name for policy in contenders.wanted],
            LOGGING,
            INCUMBENT if INCUMBENT in self.holdout.evaluation.policies else LOGGING,
            gate_settings(settings),
            cautious=None if contenders.cautious is None else contenders.cautious.name,
        )


def gate_settings(settings: Settings) -> GateSettings:
    """The configuration's demands on evidence."""
    return GateSettings(
        estimator=ESTIMATOR,
        confidence=settings.evaluation.confidence,
        min_ess=settings.evaluation.min_ess,
        min_supported_share=settings.evaluation.min_supported_share,
    )


def verdict_table(
    election: Election,
    gate: Gate,
    key: Mapping[str, str],
    segment_ids: Sequence[str],
    confidence: float,
) -> pl.DataFrame:
    """The verdicts of one domain as out_verdicts has them.

    key: run_id and domain. confidence: of the gate's intervals.
    """
    verdicts: list[tuple[int | None, Verdict]] = [(None, election.overall), *election.by_segment.items()]
    rows = [
        {
            **key,
            "segment_id": segment_name(segment, segment_ids),
            "champion": election.champion if segment is None else election.serves(segment),
            **_found(verdict, segment, gate.evidence_of(verdict.candidate)),
            **_discounted(verdict, confidence),
        }
        for segment, verdict in verdicts
    ]
    measured = "difference", "lower", "upper", "baseline_value", "ess"
    numbers = {"discounted_difference": pl.Float64, "discounted_upper": pl.Float64}
    frame = pl.DataFrame(rows, schema_overrides=numbers, infer_schema_length=None)
    frame = frame.with_columns(pl.col(measured).fill_nan(None))
    return Verdicts.validate(frame.select(Verdicts.column_names()), cast=True)


def _found(verdict: Verdict, segment: int | None, evidence: Evidence) -> dict[str, Any]:
    diagnostics = evidence.evaluation.diagnostics_of(verdict.candidate, segment)
    return {
        "candidate": verdict.candidate,
        "baseline": verdict.strongest_baseline,
        "difference": verdict.difference,
        "lower": verdict.lower,
        "upper": verdict.upper,
        "baseline_value": evidence.evaluation.value(verdict.strongest_baseline, ESTIMATOR, segment),
        "n_rounds": diagnostics.n_rounds,
        "ess": diagnostics.ess,
        "judged_from": evidence.judged_from,
        "judged_to": evidence.judged_to,
        "n_origins": evidence.n_origins,
        "split_by": evidence.split_by,
        "verdict": verdict.verdict,
        "reasons": " ".join(verdict.reasons),
    }


def _discounted(verdict: Verdict, confidence: float) -> dict[str, float | None]:
    # An interval that is corrected for bias may lie above its value: then no standard error can be read off.
    if verdict.verdict != "promote" or not verdict.lower < verdict.difference:
        return {"discounted_difference": None, "discounted_upper": None}
    found = discounted_lead(verdict.difference, verdict.lower, confidence)
    return {"discounted_difference": found.value, "discounted_upper": found.upper}


def champion_record(election: Election, segment_ids: Sequence[str]) -> dict[str, Any]:
    """Who serves, for the decisions."""
    return {
        "candidate": election.overall.candidate,
        "verdict": election.overall.verdict,
        "reasons": " ".join(election.overall.reasons),
        "champion": election.champion,
        "incumbent": election.incumbent,
        "kept_from": [segment_ids[segment] for segment in election.kept_from],
    }


def segment_name(segment: int | None, segment_ids: Sequence[str]) -> str:
    """The segment's id, `all` for None."""
    return ALL if segment is None else segment_ids[segment]
