"""Are logged propensities what they claim to be? Tests that need no reward and no evaluation policy."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from offline_rl.ope.models.action_batches import at_rows, batches
from offline_rl.ope.records import FLOAT32_SLACK
from offline_rl.ope.trust.propensity_identities import Identity, PropensityLog, identities, n_available
from offline_rl.ope.trust.reliability import Reliability, reliability
from offline_rl.ope.trust.square_root_z import square_root_z

FEWEST_BEHIND_VARIANCE = 15
"""A shortfall whose variance rests on fewer clusters may be owed to a large 1/p that happened not to
occur."""

SUM_SLACK = 1e-3
"""How far a round's probabilities may be from adding up to 1: what rounding to four decimals leaves of 20."""


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

    in the whole log, in each slot and in each quarter of the time. Each is a z-test on the square-root scale,
    with the cluster-robust variance Σ_c (S_c − ratio · m_c)² C / (C − 1) of a ratio. With the probabilities
    of all actions also: they add up to 1, contain the logged propensity, and in bins of probability actions
    are chosen as often as said. `significance` is shared by all tests (Bonferroni): at most that share of
    correct logs is found to be inconsistent.

    has_full_support: False where the logging policy may give available actions probability 0; the identities
    are then upper bounds, and only sums that are too large count. least_propensity: the least probability the
    policy gives to anything, its exploration floor. Contexts with so small a probability may have left no
    trace: with m tests, a sum may fall short of its n rounds by the share log(2 m / significance) / (n
    least_propensity) before the shortfall counts. None: the least that was logged takes its place, and a
    shortfall counts only where its variance rests on 15 clusters, as what is missing may be larger than all
    that was seen. So give the floor where there is one: under a softmax policy with heavy tails a factor goes
    unfound without it.

    Propensities that are wrong in a way that keeps every action's mean of 1/p can't be found.

    Source: the identities are Horvitz & Thompson's (1952) estimate of a number of rounds that is known; what
    to look for is the log of weave-os/router#566, a bandit's with 1/n for every action.

    >>> coin = np.arange(1000) % 2
    >>> audit_propensities(PropensityLog(coin, np.full(1000, 0.5), np.arange(1000))).is_consistent
    True
    >>> print(audit_propensities(PropensityLog(coin, np.full(1000, 0.65), np.arange(1000))).findings[0])
    the sum of 1/propensity is 0.77 of what it should be: logged propensities are about 1.30 times too large.
    """
    impossible = ~((log.propensity > 0) & (log.propensity <= 1 + FLOAT32_SLACK))
    if impossible.any():
        row = int(np.argmax(impossible))
        sentence = (
            f"row {row}: propensity is {log.propensity[row]:g}, which is no probability of a logged action; "
            f"so are those of {int(impossible.sum()) - 1:,} other rounds."
        )
        return PropensityAudit(False, (sentence,), 0, None)
    sums = tuple(identities(log))
    findings, bins = list(_contradictions(log)), None
    if log.probabilities is not None and log.n_actions is not None:
        bins = reliability(log.probabilities, log.action, log.cluster, log.n_actions)
    n_tests = len(sums) + (len(bins.bins) if bins else 0)
    critical = -float(ndtri(significance / (2 * n_tests)))
    least = float(log.propensity.min()) if least_propensity is None else least_propensity
    hidden = math.log(2 * n_tests / significance) / least if has_full_support else np.inf
    fewest = FEWEST_BEHIND_VARIANCE if least_propensity is None else 0
    scored = [(identity, _z(identity, hidden, fewest)) for identity in sums]
    found = [(identity, z) for identity, z in scored if abs(z) > critical]
    findings += _sentences(found, len(sums), _is_uniform(log))
    if bins:
        findings += _reliability_sentences(bins, critical)
    return PropensityAudit(not findings, tuple(findings), n_tests, bins)


def _z(identity: Identity, hidden: float, fewest_behind_variance: float) -> float:
    """z of an excess over 1, or of a shortfall from what is left when `hidden` rounds left no trace.

    A shortfall whose variance rests on too few clusters is none.
    """
    ratio, expected = identity.ratio, 1.0
    if ratio < 1:
        expected = max(0.0, 1 - hidden / identity.n_expected)
        if ratio >= expected or 0 < identity.n_behind_variance < fewest_behind_variance:
            return 0.0
    # Without a single choice there is no dispersion to see, and none is needed: `hidden` rounds are as many
    # as can go without one.
    dispersion = identity.variance / ratio if ratio > 0 else 0.0
    return square_root_z(ratio, expected, dispersion=dispersion)


def _is_uniform(log: PropensityLog) -> bool:
    return bool((np.abs(log.propensity * n_available(log) - 1) < 1e-3).all())


def _contradictions(log: PropensityLog) -> Iterator[str]:
    """Probabilities that do not add up to 1, or that are not the logged propensity."""
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
    """What the failed identities say, from the whole log to its slices."""
    whole = [(identity, z) for identity, z in found if identity.slice_name is None]
    for identity, _ in whole:
        if identity.action is None:
            yield (
                f"the sum of 1/propensity is {identity.ratio:.2f} of what it should be: "
                f"logged propensities are about {_factor(identity.ratio)}."
            )
    by_action = [(identity, z) for identity, z in whole if identity.action is not None]
    if by_action:
        worst, z = max(by_action, key=lambda pair: abs(pair[1]))
        if is_uniform:
            yield (
                "every logged propensity is 1 over the number of actions, but the policy did not choose "
                f"uniformly: action {worst.action} was chosen {worst.n_chosen:,} times where "
                f"{worst.n_if_uniform:,.0f} were expected "
                f"(z = {z:.1f}). Log the probabilities that the policy drew with."
            )
        else:
            yield (
                f"{len(by_action)} actions were not chosen as often as their propensities say, most of all "
                f"action {worst.action}: its sum of 1/propensity is {worst.ratio:.2f} of what it should be "
                f"(z = {z:.1f})."
            )
    sliced = [(identity, z) for identity, z in found if identity.slice_name is not None]
    if sliced:
        worst, z = max(sliced, key=lambda pair: abs(pair[1]))
        of_whom = "" if worst.action is None else f" of action {worst.action}"
        yield (
            f"in {worst.slice_name} the sum of 1/propensity{of_whom} is {worst.ratio:.2f} of what it should "
            f"be (z = {z:.1f}); {len(sliced)} of the {n_tests} identities fail in a slot or at a time."
        )


def _factor(ratio: float) -> str:
    return f"{1 / ratio:.2f} times too large" if ratio < 1 else f"{ratio:.2f} times too small"


def _reliability_sentences(bins: Reliability, critical: float) -> Iterator[str]:
    failed = [each for each in bins.bins if abs(each.z) > critical]
    if failed:
        worst = max(failed, key=lambda each: abs(each.z))
        yield (
            f"actions with a logged probability of {worst.lower:g} to {worst.upper:g} "
            f"({worst.expected / worst.n_pairs:.3g} on average) were chosen in "
            f"{worst.chosen / worst.n_pairs:.3g} of {worst.n_pairs:,} cases (z = {worst.z:.1f}); "
            f"{len(failed)} of {len(bins.bins)} bins are off."
        )
