"""Are logged propensities what they claim to be? Tests that need no reward and no evaluation policy."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from features.contracts.findings import Finding, finding
from offline_rl.ope.models.action_batches import at_rows, batches
from offline_rl.ope.records import FLOAT32_SLACK
from offline_rl.ope.trust.propensity_identities import Identity, PropensityLog, identities, n_available
from offline_rl.ope.trust.reliability import Reliability, reliability

FEWEST_BEHIND = 15
"""Fewest clusters behind a sum whose shortfall counts, where no floor is known: with fewer, a large 1/p may
have not occurred by chance."""

MOST_SURE = math.log(1e9)
"""Largest log evidence that is reported: rarer chances than one in a billion are not given a number."""

LOG = "log"
"""What the findings are about."""

SUM_SLACK = 1e-3
"""Largest error of the sum of a round's probabilities: the rounding of 20 numbers to four decimals."""


@dataclass(frozen=True)
class PropensityAudit:
    """Whether a log's propensities agree with its actions, and a finding for each way in which they don't.

    n_tests: tests among which the significance was shared. reliability: bins of the logged probabilities
    where the log gives those of all actions.
    """

    is_consistent: bool
    findings: tuple[Finding, ...]
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
    >>> found, *_ = audit_propensities(PropensityLog(coin, np.full(1000, 0.65), np.arange(1000))).findings
    >>> found.code, round(found.number("factor"), 2)
    ('propensities_too_large', 1.3)
    """
    impossible = ~((log.propensity > 0) & (log.propensity <= 1 + FLOAT32_SLACK))
    if impossible.any():
        row = int(np.argmax(impossible))
        n_others = int(impossible.sum()) - 1
        found = finding(
            "impossible_propensity", LOG, row=row, propensity=float(log.propensity[row]), n_others=n_others
        )
        return PropensityAudit(False, (found,), 0, None)
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
    failed = [(identity, log_e - math.log(n_sides)) for identity, log_e in scored if log_e > critical]
    findings += _of_identities(failed, len(sums), _is_uniform(log))
    if bins:
        findings += _of_bins(bins, critical, n_sides)
    return PropensityAudit(not findings, tuple(findings), len(sums) + n_bins, bins)


def _evidence(identity: Identity, has_full_support: bool, fewest_behind: int) -> float:
    """Return the larger log e-value of those that count."""
    counts = has_full_support and not 0 < identity.n_behind < fewest_behind
    return max(identity.log_e_excess, identity.log_e_shortfall if counts else 0.0)


def _is_uniform(log: PropensityLog) -> bool:
    return bool((np.abs(log.propensity * n_available(log) - 1) < 1e-3).all())


def _contradictions(log: PropensityLog) -> Iterator[Finding]:
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
        yield finding(
            "probabilities_off",
            LOG,
            row=row,
            n_actions=n_actions,
            sum=float(sums[row]),
            n_off=int(off.sum()),
            n_rounds=n,
        )
    differs = ~np.isclose(logged, log.propensity, rtol=1e-3, atol=FLOAT32_SLACK)
    if differs.any():
        row = int(np.argmax(differs))
        yield finding(
            "propensity_off",
            LOG,
            row=row,
            propensity=float(log.propensity[row]),
            probability=float(logged[row]),
            n_off=int(differs.sum()),
            n_rounds=n,
        )


def _of_identities(failed: list[tuple[Identity, float]], n_tests: int, is_uniform: bool) -> Iterator[Finding]:
    """Yield what the failed identities show, from the whole log to its parts; each with its log evidence."""
    whole = [(identity, sure) for identity, sure in failed if identity.part is None]
    for identity, sure in whole:
        if identity.action is None:
            code, factor = "propensities_too_small", identity.ratio
            if identity.ratio < 1:
                code, factor = "propensities_too_large", 1 / identity.ratio
            yield _sure(finding(code, LOG, ratio=identity.ratio, factor=factor), sure)
    by_action = [(identity, sure) for identity, sure in whole if identity.action is not None]
    if by_action:
        yield _of_actions(by_action, is_uniform)
    in_parts = [(identity, sure) for identity, sure in failed if identity.part is not None]
    if in_parts:
        yield _of_parts(in_parts, n_tests)


def _of_actions(failed: list[tuple[Identity, float]], is_uniform: bool) -> Finding:
    """Return what the identities of single actions show of the whole log, by the worst of them."""
    worst, sure = max(failed, key=lambda pair: pair[1])
    assert worst.action is not None
    if is_uniform:
        found = finding(
            "not_chosen_uniformly",
            LOG,
            action=worst.action,
            n_chosen=worst.n_chosen,
            n_expected=worst.n_if_uniform,
        )
    elif math.isinf(worst.ratio):
        found = _never_available(worst)
    else:
        found = finding("actions_off", LOG, n_actions=len(failed), action=worst.action, ratio=worst.ratio)
    return _sure(found, sure)


def _of_parts(failed: list[tuple[Identity, float]], n_tests: int) -> Finding:
    """Return what the identities of slots and quarters of the time show, by the worst of them."""
    worst, sure = max(failed, key=lambda pair: pair[1])
    assert worst.part is not None
    if math.isinf(worst.ratio):
        return _sure(_never_available(worst), sure)
    action = {} if worst.action is None else {"action": worst.action}
    # a slot is any number, a quarter is counted
    place = worst.part.number if worst.part.kind == "slot" else int(worst.part.number)
    found = finding(
        f"{worst.part.kind}_{'action_' if action else ''}off",
        LOG,
        **{worst.part.kind: place},
        **action,
        ratio=worst.ratio,
        n_failed=len(failed),
        n_tests=n_tests,
    )
    return _sure(found, sure)


def _never_available(worst: Identity) -> Finding:
    assert worst.action is not None
    return finding("action_never_available", LOG, action=worst.action, n_chosen=worst.n_chosen)


def _sure(found: Finding, sure: float) -> Finding:
    """Return a finding with how rare it is among correct logs, given the log of its evidence after all tests.

    >>> _sure(finding("propensities_too_small", LOG), math.log(4200)).because[0].numbers
    {'logs_per_alarm': 4200.0}
    """
    logs = math.inf if sure > MOST_SURE else math.exp(sure)
    return replace(found, because=(finding("rare_in_correct_logs", LOG, logs_per_alarm=logs),))


def _of_bins(bins: Reliability, critical: float, n_sides: int) -> Iterator[Finding]:
    failed = [each for each in bins.bins if each.log_e_value > critical]
    if failed:
        worst = max(failed, key=lambda each: each.log_e_value)
        found = finding(
            "bin_off",
            LOG,
            lower=worst.lower,
            upper=worst.upper,
            expected=worst.expected / worst.n_pairs,
            chosen=worst.chosen / worst.n_pairs,
            n_pairs=worst.n_pairs,
            n_failed=len(failed),
            n_bins=len(bins.bins),
        )
        yield _sure(found, worst.log_e_value - math.log(n_sides))
