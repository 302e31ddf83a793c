"""Are logged propensities what they claim to be? Tests that need no reward and no evaluation policy."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from offline_rl.ope.models.action_batches import at_rows, batches
from offline_rl.ope.records import FLOAT32_SLACK
from offline_rl.ope.trust.propensity_identities import Identity, PropensityLog, identities, n_available
from offline_rl.ope.trust.reliability import Reliability, reliability

FEWEST_BEHIND = 15
"""Fewest clusters behind a sum whose shortfall counts, where no floor is known: with fewer, a large 1/p may
have not occurred by chance."""

MOST_SURE = math.log(1e9)
"""Largest log evidence that is reported: rarer chances are all called one in a billion."""

SUM_SLACK = 1e-3
"""Largest error of the sum of a round's probabilities: the rounding of 20 numbers to four decimals."""


@dataclass(frozen=True)
class PropensityAudit:
    """Whether a log's propensities agree with its actions, and a sentence for each way in which they don't.

    n_tests: tests among which the significance was shared. reliability: bins of the logged probabilities
    where the log gives those of all actions.
    """

    is_consistent: bool
    findings: tuple[str, ...]
    n_tests: int
    reliability: Reliability | None


def audit_propensities(
    log: PropensityLog,
    *,
    has_full_support: bool = True,
    least_propensity: float | None = None,
    significance: float = 0.05,
) -> PropensityAudit:
    """Test the identities that correct propensities obey.

    With only (a_i, p_i): for each action a, over the rounds in which it was available,

        E[1{a_i = a} / p_i] = 1,    and over all actions    E[1 / p_i] = number of available actions,

    in the whole log, in each slot and in each quarter of the time. Each sum is tested by a bet on its
    clusters (`betting`), which is exact for any number of them: from one cluster nothing can be concluded,
    and nothing is. With the probabilities of all actions also: they add up to 1, contain the logged
    propensity, and in bins of probability actions are chosen as often as said. `significance` is shared by
    all tests (Bonferroni): at most that share of correct logs is found to be inconsistent.

    has_full_support: False where the logging policy may give available actions probability 0; the identities
    are then upper bounds, and only sums that are too large count. least_propensity: the least probability the
    policy gives to anything, its exploration floor, without which a shortfall has no exact test: contexts
    with so small a probability may have left no trace. None: the least that was logged takes its place, and a
    shortfall counts only where its sum rests on 15 clusters, as what is missing may be larger than all that
    was seen. So give the floor where there is one: under a softmax policy with heavy tails a factor goes
    unfound without it.

    Propensities that are wrong in a way that keeps every action's mean of 1/p can't be found.

    Source: the identities are Horvitz & Thompson's (1952) estimate of a number of rounds that is known; what
    to look for is the log of weave-os/router#566, a bandit's with 1/n for every action.

    >>> coin = np.arange(1000) % 2
    >>> audit_propensities(PropensityLog(coin, np.full(1000, 0.5), np.arange(1000))).is_consistent
    True
    >>> print(audit_propensities(PropensityLog(coin, np.full(1000, 0.65), np.arange(1000))).findings[0])
    the sum of 1/propensity is 0.77 of what it should be: logged propensities are about 1.30 times too large \
(so in fewer than 1 of 1,000,000,000 correct logs).
    """
    impossible = ~((log.propensity > 0) & (log.propensity <= 1 + FLOAT32_SLACK))
    if impossible.any():
        row = int(np.argmax(impossible))
        sentence = (
            f"row {row}: propensity is {log.propensity[row]:g}, which is not the "
            f"probability of a logged action; nor are those of {int(impossible.sum()) - 1:,} other rounds."
        )
        return PropensityAudit(False, (sentence,), 0, None)
    least = float(log.propensity.min()) if least_propensity is None else least_propensity
    sums = tuple(identities(log, least))
    findings, bins = list(_contradictions(log)), None
    if log.probabilities is not None and log.n_actions is not None:
        bins = reliability(log.probabilities, log.action, log.cluster, log.n_actions)
    n_bins = len(bins.bins) if bins else 0
    n_sides = len(sums) * (2 if has_full_support else 1) + 2 * n_bins
    fewest = FEWEST_BEHIND if least_propensity is None else 0
    scored = [(identity, _evidence(identity, has_full_support, fewest)) for identity in sums]
    critical = math.log(n_sides / significance)
    found = [(identity, log_e - math.log(n_sides)) for identity, log_e in scored if log_e > critical]
    findings += _sentences(found, len(sums), _is_uniform(log))
    if bins:
        findings += _reliability_sentences(bins, critical, n_sides)
    return PropensityAudit(not findings, tuple(findings), len(sums) + n_bins, bins)


def _evidence(identity: Identity, has_full_support: bool, fewest_behind: int) -> float:
    """Return the larger log e-value of those that count."""
    counts = has_full_support and not 0 < identity.n_behind < fewest_behind
    return max(identity.log_e_excess, identity.log_e_shortfall if counts else 0.0)


def _is_uniform(log: PropensityLog) -> bool:
    return bool((np.abs(log.propensity * n_available(log) - 1) < 1e-3).all())


def _contradictions(log: PropensityLog) -> Iterator[str]:
    """Yield the contradictions: probabilities that do not add up to 1, or are not the logged propensity."""
    if log.probabilities is None or log.n_actions is None:
        return
    n, n_actions = len(log.action), log.n_actions
    sums, logged = np.empty(n), np.empty(n)
    for rows in batches(np.arange(n), n_actions):
        p = at_rows(log.probabilities, rows, n_actions, "probabilities")
        sums[rows], logged[rows] = p.sum(axis=1), p[np.arange(len(rows)), log.action[rows]]
    off = ~(np.abs(sums - 1) <= SUM_SLACK)
    if off.any():
        row = int(np.argmax(off))
        yield (
            f"row {row}: the probabilities of its {n_actions} actions add up to {sums[row]:.4g}, not to 1; "
            f"{int(off.sum()):,} of {n:,} rounds are like that."
        )
    differs = ~np.isclose(logged, log.propensity, rtol=1e-3, atol=FLOAT32_SLACK)
    if differs.any():
        row = int(np.argmax(differs))
        yield (
            f"row {row}: propensity is {log.propensity[row]:g}, but the log gives the action probability "
            f"{logged[row]:g}; {int(differs.sum()):,} of {n:,} rounds are like that."
        )


def _sentences(found: list[tuple[Identity, float]], n_tests: int, is_uniform: bool) -> Iterator[str]:
    """Yield what the failed identities say, from the whole log to its slices; each with its log evidence."""
    whole = [(identity, sure) for identity, sure in found if identity.slice_name is None]
    for identity, sure in whole:
        if identity.action is None:
            yield (
                f"the sum of 1/propensity is {identity.ratio:.2f} of what it should be: "
                f"logged propensities are about {_factor(identity.ratio)} ({_chance(sure)})."
            )
    by_action = [(identity, sure) for identity, sure in whole if identity.action is not None]
    if by_action:
        worst, sure = max(by_action, key=lambda pair: pair[1])
        if is_uniform:
            yield (
                "every logged propensity is 1 over the number of actions, but the policy did not choose "
                f"uniformly: action {worst.action} was chosen {worst.n_chosen:,} times where "
                f"{worst.n_if_uniform:,.0f} were expected "
                f"({_chance(sure)}). Log the probabilities that the policy drew with."
            )
        else:
            how_many = "1 action was" if len(by_action) == 1 else f"{len(by_action)} actions were"
            yield (
                f"{how_many} not chosen as often as their propensities say, most of all "
                f"action {worst.action}: its sum of 1/propensity is {worst.ratio:.2f} of what it should be "
                f"({_chance(sure)})."
            )
    sliced = [(identity, sure) for identity, sure in found if identity.slice_name is not None]
    if sliced:
        worst, sure = max(sliced, key=lambda pair: pair[1])
        of_whom = "" if worst.action is None else f" of action {worst.action}"
        yield (
            f"in {worst.slice_name} the sum of 1/propensity{of_whom} is {worst.ratio:.2f} of what it should "
            f"be ({_chance(sure)}); {len(sliced)} of the {n_tests} identities fail in a slot or at a time."
        )


def _chance(sure: float) -> str:
    """Return how rare this is among correct logs, given the log of its evidence after all tests.

    >>> _chance(math.log(4200)), _chance(math.inf)
    ('so in at most 1 of 4,200 correct logs', 'so in fewer than 1 of 1,000,000,000 correct logs')
    """
    if sure > MOST_SURE:
        return f"so in fewer than 1 of {math.exp(MOST_SURE):,.0f} correct logs"
    return f"so in at most 1 of {math.exp(sure):,.0f} correct logs"


def _factor(ratio: float) -> str:
    return f"{1 / ratio:.2f} times too large" if ratio < 1 else f"{ratio:.2f} times too small"


def _reliability_sentences(bins: Reliability, critical: float, n_sides: int) -> Iterator[str]:
    failed = [each for each in bins.bins if each.log_e_value > critical]
    if failed:
        worst = max(failed, key=lambda each: each.log_e_value)
        yield (
            f"actions with a logged probability of {worst.lower:g} to {worst.upper:g} "
            f"({worst.expected / worst.n_pairs:.3g} on average) were chosen in "
            f"{worst.chosen / worst.n_pairs:.3g} of {worst.n_pairs:,} cases "
            f"({_chance(worst.log_e_value - math.log(n_sides))}); "
            f"{len(failed)} of {len(bins.bins)} bins are off."
        )
