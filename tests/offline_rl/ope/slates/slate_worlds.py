"""Slates of 2 slots from 3 items, few enough to enumerate every slate that could have been logged."""

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from offline_rl.ope.records import Floats, Ints
from offline_rl.ope.slates.estimator import SlateEstimator
from offline_rl.ope.slates.records import Propensities, SlateRounds

SLATES = np.array(list(permutations(range(3), 2)))
KINDS = np.array([0.4, 0.6])
"""How often each of the two kinds of visitors comes."""


def value(estimator: SlateEstimator, rounds: SlateRounds) -> float:
    return float(estimator.value(estimator.terms(rounds).sum(axis=0)))


@dataclass(frozen=True)
class Policy:
    """first[x, a]: item of the upper slot; second[x, a, b]: item b below a, never a again."""

    first: Floats
    second: Floats

    @property
    def joint(self) -> Floats:
        return self.first[:, :, None] * self.second

    @property
    def below(self) -> Floats:
        """Probability of item b in the lower slot, [x, b]."""
        return self.joint.sum(axis=1)


def policy(seed: int) -> Policy:
    rng = np.random.default_rng(seed)
    first = rng.dirichlet(np.full(3, 2.0), 2)
    second = rng.dirichlet(np.full(3, 2.0), (2, 3)) * (1 - np.eye(3))
    return Policy(first, second / second.sum(axis=2, keepdims=True))


LOGGING, EVALUATED = policy(1), policy(2)


def mean_rewards(behavior: str) -> Floats:
    """Expected reward [x, a, b, slot] of the slate (a above b), all in 0..1.

    independent: each slot by its own item. cascade: the lower slot also by the item above it. additive: the
    upper slot also by the item below it, in a sum. any: both slots by both items.
    """
    rng = np.random.default_rng(7)
    upper, lower, swayed = rng.random((3, 2, 3)) / 2
    pair = np.square(rng.random((2, 2, 3, 3))) / 2
    rewards = np.empty((2, 3, 3, 2))
    rewards[..., 0] = upper[:, :, None]
    rewards[..., 1] = lower[:, None, :]
    if behavior == "additive":
        rewards[..., 0] += swayed[:, None, :]
    if behavior in ("cascade", "any"):
        rewards[..., 1] += pair[0]
    if behavior == "any":
        rewards[..., 0] += pair[1]
    return rewards


def truth(behavior: str, of: Policy = EVALUATED) -> float:
    return float(KINDS @ np.einsum("xab,xabl->x", of.joint, mean_rewards(behavior)))


def seen(x: Ints, slate: Ints, reward: Floats, exact: Floats | None = None) -> SlateRounds:
    """Slates [n, 2] shown to visitors of kind x, with rewards [n, 2], as EVALUATED sees them.

    Q̂ is wrong on purpose, or that of the mean rewards `exact`, which must be a cascade.
    """
    n, (a, b) = len(x), slate.T

    def propensities(of_logging: list[Floats], of_evaluated: list[Floats]) -> Propensities:
        return Propensities(
            propensity=np.column_stack(of_logging).ravel(),
            evaluation_prob=np.column_stack(of_evaluated).ravel(),
        )

    def cascade(p: Policy) -> list[Floats]:
        return [p.first[x, a], p.joint[x, a, b]]

    def position(p: Policy) -> list[Floats]:
        return [p.first[x, a], p.below[x, b]]

    def whole(p: Policy) -> list[Floats]:
        return [p.joint[x, a, b]] * 2

    below = np.random.default_rng(3).random((2, 3, 3)) if exact is None else exact[..., 1]
    from_top = np.random.default_rng(4).random((2, 3))
    if exact is not None:
        from_top = exact[:, :, 0, 0] + (EVALUATED.second * below).sum(axis=2)
    q_policy = [(EVALUATED.first * from_top).sum(axis=1)[x], (EVALUATED.second * below).sum(axis=2)[x, a]]
    return SlateRounds(
        slate=np.repeat(np.arange(n), 2),
        slot=np.tile([0, 1], n),
        n_slots=2,
        reward=reward.ravel(),
        cluster=np.repeat(np.arange(n), 2),
        segment=np.repeat(x, 2),
        whole=propensities(whole(LOGGING), whole(EVALUATED)),
        position=propensities(position(LOGGING), position(EVALUATED)),
        cascade=propensities(cascade(LOGGING), cascade(EVALUATED)),
        q_logged=np.column_stack([from_top[x, a], below[x, a, b]]).ravel(),
        q_policy=np.column_stack(q_policy).ravel(),
    )


def every_slate(behavior: str, exact: Floats | None = None) -> tuple[SlateRounds, Floats]:
    """All 12 slates with their mean rewards, and the probability [rows] with which each is logged."""
    x, slate = np.repeat([0, 1], len(SLATES)), np.tile(SLATES, (2, 1))
    a, b = slate.T
    logged = KINDS[x] * LOGGING.joint[x, a, b]
    return seen(x, slate, mean_rewards(behavior)[x, a, b], exact), np.repeat(logged, 2)


def log(n: int, seed: int, behavior: str = "any", copies: int = 1) -> SlateRounds:
    """n logged slates with rewards of 0 or 1, a user each; all of them as often as `copies` says."""
    rng = np.random.default_rng(seed)
    x = rng.choice(2, n, p=KINDS)
    a = (rng.random((n, 1)) > LOGGING.first[x].cumsum(axis=1)[:, :-1]).sum(axis=1)
    b = (rng.random((n, 1)) > LOGGING.second[x, a].cumsum(axis=1)[:, :-1]).sum(axis=1)
    reward = rng.random((n, 2)) < mean_rewards(behavior)[x, a, b]
    often = np.tile(np.arange(n), copies)
    return seen(x[often], np.column_stack([a, b])[often], reward[often].astype(float))
