"""The stop rule of an experiment: what becomes of it tonight, by its interval and its days alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from features.contracts.findings import Finding, finding
from offline_rl.experiments.readout import FEWEST_REWARDED_USERS, MOST_OF_ONE_USER, Readout

Status = Literal["running", "promoted", "rejected", "ended"]


LEAST_CHANCE = 0.02
"""Chance of winning below which an experiment is not worth its users any more. Of 4,000 simulated experiments
of 28 days with a true difference of 0.65 standard errors a day, 86 of 100 are won where 89 would be without
this rule; those without a difference end after 11 days in the mean in place of 27, and those whose candidate
is worse by 0.3 after 6 in place of 25."""


@dataclass(frozen=True)
class Outcome:
    """What becomes of an experiment, and why."""

    status: Status
    found: Finding


def outcome(
    candidate: str, readout: Readout, *, chance: float | None, day: int, max_days: int, min_users: int
) -> Outcome:
    """Return what becomes of an experiment.

    An interval above zero promotes the candidate, one below zero rejects it, and after `max_days` days it
    ends, or sooner if it has hardly a chance of being won by then. The interval holds on all nights together,
    so that stopping at any of them is not a second chance, and to give up promotes nothing.
    candidate: by the name of its policy_version. day: of the experiment, from 1. chance: of winning on its
    last day (`group_sequential.chance_of_winning`), None where nothing is known of it.
    """
    days = {"day": day, "max_days": max_days}
    if not readout.is_known:
        if day >= max_days:
            return Outcome("ended", finding("experiment_over_too_early", candidate, **days))
        return Outcome("running", _too_early(candidate, readout, min_users, days))
    interval = {
        "difference": readout.difference,
        "lower": readout.lower,
        "upper": readout.upper,
        "confidence": readout.confidence,
    }
    if readout.lower > 0:
        return Outcome("promoted", finding("experiment_won", candidate, day=day, **interval))
    if readout.upper < 0:
        return Outcome("rejected", finding("experiment_lost", candidate, day=day, **interval))
    return _undecided(candidate, chance, days, interval)


def _undecided(
    candidate: str, chance: float | None, days: Mapping[str, int], interval: Mapping[str, float]
) -> Outcome:
    if days["day"] >= days["max_days"]:
        return Outcome("ended", finding("experiment_over", candidate, **days, **interval))
    if chance is not None and chance < LEAST_CHANCE:
        asked = {"chance": chance, "least": LEAST_CHANCE}
        return Outcome("ended", finding("experiment_given_up", candidate, **days, **interval, **asked))
    return Outcome("running", finding("experiment_goes_on", candidate, **days, **interval))


def _too_early(candidate: str, readout: Readout, min_users: int, days: dict[str, int]) -> Finding:
    asked = (
        ("few_clusters", readout.fewest_users, min_users),
        ("few_informative_clusters", readout.n_rewarded_users, FEWEST_REWARDED_USERS),
    )
    causes = [
        finding(code, candidate, n_clusters=n_users, least=least, clusters="users")
        for code, n_users, least in asked
        if n_users < least
    ]
    if causes:
        return Finding("experiment_too_early", candidate, days, tuple(causes))
    share, most = readout.largest_share, MOST_OF_ONE_USER
    return finding("experiment_of_one_user", candidate, share=share, most=most, **days)
