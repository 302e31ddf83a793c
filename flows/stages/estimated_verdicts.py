"""Verdicts on estimated propensities: at most `test`, with the factor of hidden odds that turns them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isinf
from typing import Any

import polars as pl

from features.contracts.findings import Finding, finding
from features.contracts.outputs import Sensitivity
from flows.night_folder import Note
from flows.settings import Settings
from offline_rl.gate import Evidence, Gate
from offline_rl.ope.sensitivity.resampled_bounds import Compared
from offline_rl.ope.sensitivity.tipping_factor import MOST
from offline_rl.registry import LOGGING, Election

FACTORS = (1.0, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0)
"""Factors of the table: what may hide behind a log of which much is known, up to one of which little is."""

UNIDENTIFIED = "nothing_left_to_chance"


@dataclass(frozen=True)
class Weighed:
    """election: with a verdict of at most `test`. table: part of out_sensitivity. note: what logging buys."""

    election: Election
    table: pl.DataFrame
    note: Note


def at_most_test(
    election: Election, gate: Gate, notes: Sequence[Note], key: Mapping[str, str], settings: Settings
) -> Weighed:
    """Return an election on estimated propensities: what would have been promoted is to be tested.

    notes: of learning; where all rounds together turned out to be foretold, nothing is to be tested either.
    key: run_id and domain.
    """
    compared = dict(_compared(election, gate, settings))
    confidence, overall = settings.evaluation.confidence, election.overall
    factors = {pair: found.tipping_factor(confidence) for pair, found in compared.items()}
    rows = [
        {
            **key,
            **_of_pair(policy, other, gate.evidence[policy]),
            "odds_factor": factor,
            **_at(found, factor, confidence),
            "tipping_factor": None if isinf(factors[policy, other]) else factors[policy, other],
        }
        for (policy, other), found in compared.items()
        for factor in FACTORS
    ]
    domain = key["domain"]
    certain = [note.found for note in notes if note.domain == domain and note.found.code == UNIDENTIFIED]
    if overall.verdict == "promote":
        why = _why(overall.candidate, factors[overall.candidate, LOGGING], confidence)
        tested = replace(overall, verdict="test", reasons=(why, *overall.reasons))
        held = replace(overall, verdict="hold", reasons=tuple(certain))
        election = Election(held if certain else tested, election.incumbent, election.incumbent)
    numbers = dict.fromkeys(("bound_lower", "bound_upper", "lower", "upper", "tipping_factor"), pl.Float64)
    frame = pl.DataFrame(rows, schema_overrides=numbers, infer_schema_length=None).fill_nan(None)
    return Weighed(
        election,
        Sensitivity.validate(frame.select(Sensitivity.column_names()), cast=True),
        Note(domain, "", _bought(domain, gate.evidence[overall.candidate], overall.candidate)),
    )


def _compared(
    election: Election, gate: Gate, settings: Settings
) -> Iterator[tuple[tuple[str, str], Compared]]:
    """Yield each contender beside the logging policy, and the one that asks beside its strongest rival."""
    n_resamples, seed = settings.evaluation.resamples, settings.night.seed
    for policy, evidence in gate.evidence.items():
        served = evidence.choices[policy].served
        yield (policy, LOGGING), Compared.on(served, n_resamples=n_resamples, seed=seed)
        rival = election.overall.strongest_baseline
        if policy == election.overall.candidate and rival in evidence.choices and rival != policy:
            other = evidence.choices[rival].served
            yield (policy, rival), Compared.on(served, other, n_resamples=n_resamples, seed=seed)


def _of_pair(policy: str, other: str, evidence: Evidence) -> dict[str, Any]:
    diagnostics = evidence.evaluation.diagnostics_of(policy)
    return {
        "policy": policy,
        "other": other,
        "n_rounds": diagnostics.n_rounds,
        "ess": diagnostics.ess,
    }


def _at(found: Compared, factor: float, confidence: float) -> dict[str, float]:
    bounds, interval = found.difference(factor), found.interval(factor, confidence)
    return {
        "bound_lower": bounds.lower,
        "bound_upper": bounds.upper,
        "lower": interval.lower,
        "upper": interval.upper,
    }


def _why(candidate: str, factor: float, confidence: float) -> Finding:
    numbers: dict[str, float | str] = {"other": LOGGING, "confidence": confidence}
    if isinf(factor):
        return finding("test_at_any_factor", candidate, most=MOST, **numbers)
    if factor == 1.0:
        return finding("test_at_no_factor", candidate, **numbers)
    return finding("test_up_to_factor", candidate, tipping_factor=factor, **numbers)


def _bought(domain: str, evidence: Evidence, candidate: str) -> Finding:
    days = (evidence.judged_to - evidence.judged_from).days + 1
    n_rounds = evidence.evaluation.diagnostics_of(candidate).n_rounds
    return finding("logging_would_buy", domain, n_rounds=n_rounds, n_days=days)
