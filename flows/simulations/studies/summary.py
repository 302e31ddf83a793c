"""Summary: outcomes of all worlds and seeds → shares, paired differences, harm and curves, for JSON."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from flows.simulations.studies.learners import BASELINES, LEARNERS, POOLED, SHIPPED
from flows.simulations.studies.outcome import Outcome
from offline_rl.comparison.inference import claims, difference, standard_error
from offline_rl.ope.records import Floats

BySeed = dict[int, Outcome]

SMALLEST_ESS = 30.0
LARGEST_WEIGHT_ERROR = 3.0
"""Largest distance of the mean weight from 1, in standard errors; a larger one is hardly due to chance."""
CLEARLY_WORSE = -1.96


def with_shipped(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Add to each study what the night would ship, by the rule of `offline_rl.meta.choice.choose_contenders`.

    That is the clearest lead of what is fitted in one go, then the surest gain in likelihood above 0, then
    the surest in value of a learner that predicts no reward, else the pooled model.
    """
    studies: dict[tuple[str, int], list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.learner != SHIPPED:
            studies.setdefault((outcome.world, outcome.seed), []).append(outcome)
    shipped = []
    for members in studies.values():
        contenders = [member for member in members if member.asks and member.learner != POOLED]
        contenders.sort(key=_wanted)
        chosen = [*contenders, *(member for member in members if member.learner == POOLED)]
        if chosen:
            name = chosen[0].learner
            shipped.append(replace(chosen[0], learner=SHIPPED, notes=[name], steps={}, support={}))
    return [*outcomes, *shipped]


def _wanted(member: Outcome) -> tuple[int, float, str]:
    """Return the sort key of contenders: by lead, by likelihood, by value, the largest first."""
    for place, gain in enumerate((member.lead, member.likelihood_gain)):
        if gain is not None:
            return place, -gain, member.learner
    return 2, -member.validation_gain, member.learner


def summarize(outcomes: Sequence[Outcome], resamples: int = 2000) -> dict[str, Any]:
    """Return world → its numbers, see the functions below."""
    tables: dict[str, dict[str, BySeed]] = {}
    for outcome in with_shipped(outcomes):
        tables.setdefault(outcome.world, {}).setdefault(outcome.learner, {})[outcome.seed] = outcome
    return {world: _of_world(learners, resamples) for world, learners in tables.items()}


def _of_world(learners: dict[str, BySeed], resamples: int) -> dict[str, Any]:
    rows = {name: _of_learner(by_seed, learners.get(POOLED, {})) for name, by_seed in learners.items()}
    # Learners that were evaluated on some seeds only may have had the easy ones.
    most = max(len(by_seed) for by_seed in learners.values())
    baselines = [name for name in BASELINES if name in learners and len(learners[name]) == most]
    strongest = max(baselines, key=lambda name: (rows[name]["share"], name), default=None)
    for name, by_seed in learners.items():
        if name not in BASELINES and baselines:
            rows[name]["against"] = _against(by_seed, {base: learners[base] for base in baselines}, resamples)
    place = {name: position for position, name in enumerate(LEARNERS)}
    may_ship = [name for name in rows if name != SHIPPED and len(learners[name]) == most]
    # The first of equals: learners that return the pooled model are the pooled model.
    in_order = sorted(may_ship, key=lambda name: place.get(name, len(place)))
    best = max(in_order, key=lambda name: rows[name]["share"], default=None)
    return {"learners": rows, "strongest_baseline": strongest, "best": best}


def _of_learner(by_seed: BySeed, pooled: BySeed) -> dict[str, Any]:
    members = list(by_seed.values())
    shares = [member.share for member in members]
    before = [member.share_before_refit for member in members]
    row: dict[str, Any] = {
        "share": float(np.mean(shares)),
        "standard_error": standard_error(shares),
        "share_before_refit": float(np.mean(before)),
        "standard_error_before_refit": standard_error(before),
        "shares": {str(seed): member.share for seed, member in by_seed.items()},
        "share_by_traffic": float(np.mean([_share_by_traffic(member) for member in members])),
        "share_by_estimate": float(np.mean([_share_by_estimate(member) for member in members])),
        "clearly_worse": float(np.mean([np.less(m.gain_in_errors, CLEARLY_WORSE).mean() for m in members])),
        "worst_decile_lift": float(np.mean([_worst_decile_lift(member) for member in members])),
        "adapts": float(np.mean([member.adapts for member in members])),
        "steps": _mean_curve([member.steps for member in members]),
        "support": _mean_curve([member.support for member in members]),
        "train_seconds": float(np.mean([member.train_seconds for member in members])),
        "judge_seconds": float(np.mean([member.judge_seconds for member in members])),
        "smallest_ess": min(member.ess for member in members),
        "largest_weight_error": max(abs(member.weight_in_errors) for member in members),
    }
    paired = [(_points(member), _points(pooled[seed])) for seed, member in by_seed.items() if seed in pooled]
    if paired:
        row["truly_worse"] = float(np.mean([(mine < theirs - 1.0).mean() for mine, theirs in paired]))
    if by_seed and members[0].learner == SHIPPED:
        chosen = [member.notes[0] for member in members]
        row["chosen"] = {name: chosen.count(name) for name in sorted(set(chosen))}
    return row


def _against(by_seed: BySeed, baselines: dict[str, BySeed], resamples: int) -> dict[str, Any]:
    """Return paired true differences to every baseline, in points of the gap, with Holm-adjusted p-values.

    A claim needs the lower end above 0, an adjusted p-value under 0.05, enough segments, and a log with
    enough effective rounds and weights of mean 1.
    """
    gains, guessed = {}, {}
    for name, baseline in baselines.items():
        if seeds := [seed for seed in by_seed if seed in baseline]:
            gains[name] = [_points(by_seed[seed]) - _points(baseline[seed]) for seed in seeds]
            guessed[name] = [_points(by_seed[seed], "dr") - _points(baseline[seed], "dr") for seed in seeds]
    sound = all(is_sound(member) for member in by_seed.values())
    return {
        name: asdict(found.difference)
        | {
            "by_estimate": asdict(difference(guessed[name], resamples)),
            "segments": found.n_segments,
            "holm_p_value": found.holm_p_value,
            "is_claimed": sound and found.is_claimed,
        }
        for name, found in claims(gains, resamples).items()
    }


def is_sound(outcome: Outcome) -> bool:
    """Return whether the log is enough evidence on this policy."""
    return outcome.ess >= SMALLEST_ESS and abs(outcome.weight_in_errors) <= LARGEST_WEIGHT_ERROR


def _points(outcome: Outcome, of: str = "true") -> Floats:
    """Return value over logging by segment, in points: percent of the mean gap from logging to oracle.

    Their mean over segments is the share of the gap in percent.
    """
    gap = float(np.mean(outcome.oracle) - np.mean(outcome.logging))
    value = outcome.true if of == "true" else outcome.dr
    return np.asarray(100 * (np.array(value) - np.array(outcome.logging)) / gap)


def _share_by_traffic(outcome: Outcome) -> float:
    rounds, logging = np.array(outcome.rounds), np.array(outcome.logging)
    gained = (rounds * (np.array(outcome.true) - logging)).sum()
    return float(gained / (rounds * (np.array(outcome.oracle) - logging)).sum())


def _share_by_estimate(outcome: Outcome) -> float:
    return float(_points(outcome, "dr").mean() / 100)


def _worst_decile_lift(outcome: Outcome) -> float:
    """Return the mean relative lift over logging of the tenth of the segments with the least lift."""
    lift = np.sort(np.array(outcome.true) / np.array(outcome.logging) - 1.0)
    return float(lift[: max(1, len(lift) // 10)].mean())


def _mean_curve(curves: Sequence[Any]) -> dict[str, float]:
    drawn = [curve for curve in curves if curve]
    return {key: float(np.mean([curve[key] for curve in drawn])) for key in (drawn[0] if drawn else ())}
