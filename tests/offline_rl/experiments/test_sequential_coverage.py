"""Experiments without any difference, looked at on each of 28 nights: how many would ever be stopped?"""

import numpy as np
import pytest
from scipy.stats import norm

from offline_rl.experiments.group_sequential import boundaries
from offline_rl.experiments.readout import ArmSums, Readout, read_out

NIGHTS = 28


def readouts(
    seed: int,
    n_users: int,
    *,
    share: float,
    chance: float,
    spread: float,
    growth: float = 0.0,
    lift: float = 0.0,
    is_once: bool = False,
) -> list[Readout]:
    """Return the read-outs of all nights of one experiment.

    n_users: at the start; growth: new ones a night, as a share. A user visits now and then and clicks at a
    chance of his own, drawn from a beta law around `chance`; the smaller spread, the more they differ.
    is_once: whether he clicks once at most.
    """
    draw = np.random.default_rng(seed)
    total = int(n_users * (1 + growth * NIGHTS))
    arrives = np.maximum(0, np.arange(total) - n_users) // max(1, int(n_users * growth))
    is_candidate = draw.random(total) < share
    own = draw.beta(chance * spread, (1 - chance) * spread, total)
    own = np.clip(own * np.where(is_candidate, 1 + lift, 1), 0, 1)
    visits_a_night = draw.gamma(0.5, 1.0, total)
    rounds, reward = np.zeros(total, np.int64), np.zeros(total)
    nights, known = [], []
    for night in range(NIGHTS):
        visits = draw.poisson(visits_a_night) * (arrives <= night)
        rounds += visits
        reward += draw.binomial(visits, own)
        reward = np.minimum(reward, 1.0) if is_once else reward
        seen = rounds > 0
        arms = [
            ArmSums(rounds[seen & of_arm], reward[seen & of_arm]) for of_arm in (is_candidate, ~is_candidate)
        ]
        n, m = (arm.total_rounds for arm in arms)
        known.append(n * m / (n + m))
        nights.append(arms)
    return [
        read_out(one, other, standard_errors=width, confidence=0.95, min_users=50)
        for (one, other), width in zip(nights, boundaries(known, NIGHTS, 0.95), strict=True)
    ]


def excludes_zero(found: Readout, errors: float | None = None) -> bool:
    if not found.is_known:
        return False
    if errors is None:
        return found.lower > 0 or found.upper < 0
    error = (found.candidate.variance + found.champion.variance) ** 0.5
    return bool(abs(found.difference) > errors * error)


def shares_stopped(n_experiments: int, **shop: float) -> tuple[float, float]:
    """Return the shares that are ever stopped: by the interval of the night, and by the fixed one."""
    fixed = float(norm.isf(0.025))
    stopped = np.array(
        [
            (any(map(excludes_zero, nights)), any(excludes_zero(night, fixed) for night in nights))
            for nights in (readouts(seed, **shop) for seed in range(n_experiments))
        ]
    )
    by_night, by_fixed = stopped.mean(0)
    return float(by_night), float(by_fixed)


def test_of_equal_arms_hardly_any_is_ever_stopped_and_by_the_fixed_interval_one_in_four() -> None:
    by_night, by_fixed = shares_stopped(150, n_users=200, share=0.5, chance=0.1, spread=1e6)
    assert by_night <= 0.05
    assert by_fixed > 0.2


@pytest.mark.slow
@pytest.mark.parametrize(
    "shop",
    [
        {"n_users": 200, "share": 0.5, "chance": 0.1, "spread": 10},
        {"n_users": 1000, "share": 0.1, "chance": 0.03, "spread": 3},
        {"n_users": 300, "share": 0.3, "chance": 0.2, "spread": 10, "growth": 0.1},
        {"n_users": 400, "share": 0.5, "chance": 0.05, "spread": 1e6, "is_once": True},
    ],
    ids=["users of their own", "few and unlike", "growing", "one reward each"],
)
def test_coverage_holds_for_shops_of_any_kind(shop: dict[str, float]) -> None:
    by_night, _ = shares_stopped(1000, **shop)
    # three standard errors of a share of 5 % among a thousand
    assert by_night <= 0.05 + 3 * (0.05 * 0.95 / 1000) ** 0.5


def test_a_lift_is_found() -> None:
    shop = {"n_users": 400, "share": 0.5, "chance": 0.2, "spread": 50.0, "lift": 0.5}
    found = [readouts(seed, **shop)[27] for seed in range(10)]
    assert sum(night.lower > 0 for night in found) >= 8
