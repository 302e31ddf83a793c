"""Verdicts: what the gate decided, for the shop and for each segment, as out_verdicts has it."""

from collections.abc import Collection, Mapping, Sequence
from math import nan
from typing import Any, Literal

import polars as pl

from features.codes import ALL_SEGMENTS
from features.contracts.findings import Finding, finding
from features.contracts.outputs import Verdicts
from flows.settings import Settings
from flows.stages.worded import worded
from offline_rl.decisions.served_policy import EvidenceLevel
from offline_rl.gate import ESTIMATOR, Evidence, Gate
from offline_rl.ope.trust.selection import discounted_lead
from offline_rl.ope.trust.verdict import GateSettings, Verdict
from offline_rl.registry import Champion, Election, Kept
from offline_rl.segment_choice import CANDIDATE, TODAY, SegmentChoice, SegmentEffect


def gate_settings(settings: Settings, look: int = 1) -> GateSettings:
    """Return the configuration's demands on evidence; look: which one it is at this evidence."""
    return GateSettings(
        estimator=ESTIMATOR,
        confidence=settings.evaluation.confidence,
        min_ess=settings.evaluation.min_ess,
        min_supported_share=settings.evaluation.min_supported_share,
        look=look,
        currency=settings.shop.currency_code if settings.night.counted.is_money else "",
    )


def verdict_table(
    election: Election,
    gate: Gate,
    key: Mapping[str, str],
    segment_ids: Sequence[str],
    settings: Settings,
    *,
    evidence_level: EvidenceLevel = "logged",
) -> pl.DataFrame:
    """Return the verdicts of one domain as out_verdicts has them.

    key: run_id and domain. evidence_level: of the propensities that they stand on.
    """
    confidence, keep_above = settings.evaluation.confidence, settings.segments.keep_above
    protected = protected_segments(segment_ids, settings)
    candidate = election.overall.candidate
    evidence, choice = gate.evidence[candidate], gate.choice_of(candidate)
    shared = {**key, "candidate": candidate, "evidence_level": evidence_level, **_judged(evidence)}
    rows = [
        {
            **shared,
            "segment_id": ALL_SEGMENTS,
            "champion": election.champion,
            **_found(election.overall, evidence),
            **_discounted(election.overall, confidence),
        }
    ]
    for effect in choice.effects:
        word = _word(effect.segment, choice, election, protected)
        rows.append(
            {
                **shared,
                "segment_id": segment_ids[effect.segment],
                "champion": election.champion if word == "served" else election.incumbent,
                "verdict": word,
                **worded([_segment_reason(word, effect.harm, election, keep_above)]),
                **_effect(effect, choice, gate.today),
            }
        )
    measured = "difference", "lower", "upper", "baseline_value", "ess", "holm_p_value"
    numbers = {
        "discounted_difference": pl.Float64,
        "discounted_upper": pl.Float64,
        "holm_p_value": pl.Float64,
    }
    frame = pl.DataFrame(rows, schema_overrides=numbers, infer_schema_length=None)
    frame = frame.with_columns(pl.col(measured).fill_nan(None))
    return Verdicts.validate(frame.select(Verdicts.column_names()), cast=True)


def _judged(evidence: Evidence) -> dict[str, Any]:
    return {
        "judged_from": evidence.judged_from,
        "judged_to": evidence.judged_to,
        "n_origins": evidence.n_origins,
        "split_by": evidence.split_by,
    }


def _found(verdict: Verdict, evidence: Evidence) -> dict[str, Any]:
    diagnostics = evidence.evaluation.diagnostics_of(verdict.candidate)
    return {
        "baseline": verdict.strongest_baseline,
        "difference": verdict.difference,
        "lower": verdict.lower,
        "upper": verdict.upper,
        "baseline_value": evidence.evaluation.value(verdict.strongest_baseline, ESTIMATOR),
        "n_rounds": diagnostics.n_rounds,
        "ess": diagnostics.ess,
        "verdict": verdict.verdict,
        "harm_probability": None,
        "holm_p_value": None,
        **worded(verdict.reasons),
    }


def _effect(effect: SegmentEffect, choice: SegmentChoice, today: str) -> dict[str, Any]:
    diagnostics = choice.evaluation.diagnostics_of(CANDIDATE, effect.segment)
    return {
        "baseline": today,
        "difference": effect.difference,
        "lower": effect.lower,
        "upper": effect.upper,
        "baseline_value": choice.evaluation.value(TODAY, ESTIMATOR, effect.segment),
        "n_rounds": diagnostics.n_rounds,
        "ess": diagnostics.ess,
        "harm_probability": effect.harm,
        "holm_p_value": effect.holm_p_value,
        "discounted_difference": None,
        "discounted_upper": None,
    }


def _word(
    segment: int, choice: SegmentChoice, election: Election, protected: Collection[int]
) -> Literal["served", "kept", "protected"]:
    if segment in protected:
        return "protected"
    is_kept = election.champion == election.incumbent or segment in choice.kept
    return "kept" if is_kept else "served"


def _segment_reason(word: str, harm: float, election: Election, keep_above: float) -> Finding:
    candidate = election.overall.candidate
    if word == "protected":
        return finding("segment_protected", candidate, harm_probability=harm)
    if election.champion == election.incumbent:
        return finding("nothing_promoted", candidate, harm_probability=harm)
    code = "segment_kept" if word == "kept" else "segment_served"
    return finding(code, candidate, harm_probability=harm, keep_above=keep_above)


def _discounted(verdict: Verdict, confidence: float) -> dict[str, float | None]:
    # An interval that is corrected for bias may lie above its value: then no standard error can be read off.
    if verdict.verdict != "promote" or not verdict.lower < verdict.difference:
        return {"discounted_difference": None, "discounted_upper": None}
    found = discounted_lead(verdict.difference, verdict.lower, confidence)
    return {"discounted_difference": found.value, "discounted_upper": found.upper}


def protected_segments(segment_ids: Sequence[str], settings: Settings) -> tuple[int, ...]:
    """Return the segments that the configuration protects, of those that a domain has."""
    return tuple(place for place, name in enumerate(segment_ids) if name in settings.segments.protected)


def champion_of(election: Election, gate: Gate, segment_ids: Sequence[str], settings: Settings) -> Champion:
    """Who serves, for the decisions."""
    choice, protected = gate.choice_of(election.overall.candidate), protected_segments(segment_ids, settings)
    harm = {effect.segment: effect.harm for effect in choice.effects}

    def kept(segment: int) -> Kept:
        word: Literal["kept", "protected"] = "protected" if segment in protected else "kept"
        keep_above = settings.segments.keep_above
        return Kept(word, _segment_reason(word, harm.get(segment, nan), election, keep_above))

    return Champion(
        candidate=election.overall.candidate,
        verdict=election.overall.verdict,
        reasons=election.overall.reasons,
        champion=election.champion,
        incumbent=election.incumbent,
        kept_from={segment_ids[segment]: kept(segment) for segment in sorted(choice.kept)},
    )


def segment_name(segment: int | None, segment_ids: Sequence[str]) -> str:
    """Return the segment's id, `all` for None."""
    return ALL_SEGMENTS if segment is None else segment_ids[segment]
