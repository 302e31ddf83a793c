from dataclasses import replace

import numpy as np
import pytest

from offline_rl.ope.continuous.kernels import KERNELS, Kernel
from offline_rl.ope.continuous.records import SpendRounds
from offline_rl.ope.continuous.smoothing import smoothed
from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluation import evaluate
from offline_rl.ope.records import Floats
from tests.offline_rl.ope.continuous.spend_worlds import drawn, evenly_spread, value

IPS, SNIPS, DR = (from_name(name) for name in ("ips", "snips", "dr"))

EVERY = pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
NAMES = ["ips", "snips", "dr", "sndr"]
TRIANGULAR = KERNELS["triangular"]


def square(level: Floats) -> Floats:
    return 3 * level**2


def flat(level: Floats) -> Floats:
    return np.full_like(level, 3.0)


def modeled(rounds: SpendRounds) -> SpendRounds:
    """A wrong model: 2 + a."""
    return replace(rounds, q_logged=2 + rounds.spend, q_policy=2 + rounds.evaluation_spend)


@EVERY
@pytest.mark.parametrize("name", NAMES)
def test_bias_is_the_curvature_times_the_squared_bandwidth(kernel: Kernel, name: str) -> None:
    # m = 3 a² has m'' = 6, so that the smoothed policy earns 3 (1/4 + h² ∫ u² K) at 1/2.
    rounds = modeled(evenly_spread(square, spend=0.5, n=100_000))
    for bandwidth in (0.06, 0.03):
        bias = value(from_name(name), smoothed(rounds, kernel, bandwidth)) - 0.75
        assert bias == pytest.approx(3 * bandwidth**2 * kernel.second_moment, rel=1e-3)


@EVERY
@pytest.mark.parametrize("end", [0.0, 1.0])
def test_at_an_end_nothing_is_lost(kernel: Kernel, end: float) -> None:
    assert value(IPS, smoothed(evenly_spread(flat, spend=end), kernel, 0.1)) == pytest.approx(3, rel=1e-3)


def test_at_an_end_bias_is_of_the_order_of_the_bandwidth() -> None:
    # Half a triangle, doubled, has its mean a third of the bandwidth inside: m = 2 a earns 2 h / 3 at 0.
    rounds = evenly_spread(lambda level: 2 * level, spend=0.0)
    for bandwidth in (0.2, 0.1):
        assert value(IPS, smoothed(rounds, TRIANGULAR, bandwidth)) == pytest.approx(
            2 * bandwidth / 3, rel=1e-3
        )


@EVERY
@pytest.mark.parametrize(("n", "bandwidth"), [(400, 0.1), (1600, 0.1), (400, 0.05)])
def test_variance_falls_with_rounds_and_bandwidth(kernel: Kernel, n: int, bandwidth: float) -> None:
    # Var = ∫K² E[r²] / (n h) to first order; exactly, E[w² r²] and E[w r]² of r = 3 + noise of variance 1/4.
    logs = 800
    rounds = drawn(n * logs, seed=0, mean=flat, spend=0.5)
    terms = IPS.terms(smoothed(rounds, kernel, bandwidth))
    values = IPS.value(terms.reshape(logs, n, 2).sum(axis=1))
    expected = (kernel.roughness / bandwidth * 9.25 - 9) / n
    # The variance of 800 values is known to 5 %.
    assert values.var(ddof=1) == pytest.approx(expected, rel=0.17)
    assert values.mean() == pytest.approx(3, abs=4 * np.sqrt(expected / logs))


@EVERY
@pytest.mark.parametrize("bandwidth", [0.05, 0.4])
def test_an_exact_model_needs_no_small_bandwidth(kernel: Kernel, bandwidth: float) -> None:
    rounds = evenly_spread(square, spend=0.1)
    exact = replace(rounds, q_logged=square(rounds.spend), q_policy=square(rounds.evaluation_spend))
    assert value(DR, smoothed(exact, kernel, bandwidth)) == pytest.approx(0.03, rel=1e-12)
    assert abs(value(IPS, smoothed(exact, kernel, bandwidth)) - 0.03) > 1e-3


def test_kernel_estimates_on_paper() -> None:
    # Triangles of half-width 2 around 5: weights (1 − |a − 5|/2) / 2 / density = 2, 1, 0 and 0.5.
    rounds = SpendRounds(
        reward=np.array([1.0, 2.0, 9.0, 4.0]),
        spend=np.array([5.0, 6.0, 8.0, 4.0]),
        density=np.array([0.25, 0.25, 0.1, 0.5]),
        evaluation_spend=np.full(4, 5.0),
        cluster=np.arange(4),
        segment=np.zeros(4, dtype=np.int64),
        lower=0.0,
        upper=10.0,
        q_logged=np.array([1.0, 1.0, 1.0, 2.0]),
        q_policy=np.full(4, 1.5),
    )
    seen = smoothed(rounds, TRIANGULAR, 2.0)
    assert seen.weight.tolist() == [2.0, 1.0, 0.0, 0.5]
    assert value(IPS, seen) == (2 + 2 + 0 + 2) / 4
    assert value(SNIPS, seen) == (2 + 2 + 0 + 2) / 3.5
    assert value(DR, seen) == 1.5 + (0 + 1 + 0 + 1) / 4


@EVERY
@pytest.mark.parametrize("name", NAMES)
def test_the_unit_of_spend_is_irrelevant(kernel: Kernel, name: str) -> None:
    rounds = modeled(drawn(300, seed=1, mean=square, spend=0.3))
    in_cents = replace(
        rounds,
        spend=100 * rounds.spend,
        density=rounds.density / 100,
        evaluation_spend=100 * rounds.evaluation_spend,
        upper=100.0,
    )
    ours, theirs = smoothed(rounds, kernel, 0.2), smoothed(in_cents, kernel, 20.0)
    assert value(from_name(name), ours) == pytest.approx(value(from_name(name), theirs), rel=1e-9)


@EVERY
@pytest.mark.parametrize("name", NAMES)
def test_shards_add_whatever_the_order(kernel: Kernel, name: str) -> None:
    seen = smoothed(modeled(drawn(300, seed=2, mean=square, spend=0.3)), kernel, 0.2)
    shuffled = seen.select(np.random.default_rng(0).permutation(300))
    estimator = from_name(name)
    sums = sum(
        estimator.terms(shuffled.select(rows)).sum(axis=0) for rows in (np.arange(37), np.arange(37, 300))
    )
    assert np.isclose(estimator.value(sums), value(estimator, seen), rtol=1e-12)


@EVERY
@pytest.mark.parametrize("name", NAMES)
def test_scaled_rewards_scale_the_value(kernel: Kernel, name: str) -> None:
    rounds = modeled(drawn(300, seed=3, mean=square, spend=0.3))
    scaled = replace(
        rounds, reward=7 * rounds.reward, q_logged=7 * rounds.q_logged, q_policy=7 * rounds.q_policy
    )
    ours, theirs = smoothed(rounds, kernel, 0.2), smoothed(scaled, kernel, 0.2)
    assert value(from_name(name), theirs) == pytest.approx(7 * value(from_name(name), ours), rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_the_logging_policy_earns_the_mean(name: str) -> None:
    rounds = modeled(drawn(300, seed=4, mean=square, spend=0.3))
    assert value(from_name(name), rounds.logging_policy()) == pytest.approx(rounds.reward.mean(), rel=1e-12)


def test_policies_of_levels_are_evaluated_like_any_other() -> None:
    rounds = drawn(4000, seed=5, mean=square, spend=0.8)
    policies = {"logging": rounds.logging_policy(), "more": smoothed(rounds, KERNELS["epanechnikov"], 0.15)}
    evaluation = evaluate(policies, [SNIPS], n_resamples=200)
    gain = evaluation.difference("more", "logging", "snips")
    # 3 × 0.64 + 3 h² / 5 less the mean of 3 a², 1.
    assert gain.lower < 1.92 + 3 * 0.15**2 / 5 - 1 < gain.upper
    diagnostics = evaluation.diagnostics_of("more")
    assert diagnostics.mean_weight_lower < 1 < diagnostics.mean_weight_upper
    # n h / ∫K² rounds speak.
    assert diagnostics.ess == pytest.approx(4000 * 0.15 / 0.6, rel=0.1)


def test_levels_that_were_never_possible_are_unsupported() -> None:
    half = np.where(np.arange(100) < 25, 1.5, 0.5)
    seen = smoothed(drawn(100, seed=6, mean=flat, spend=0.5, evaluation_spend=half), TRIANGULAR, 0.2)
    assert seen.unsupported_mass is not None
    assert seen.unsupported_mass.mean() == 0.25
    assert (seen.weight[:25] == 0).all() and seen.weight[25:].any()


@pytest.mark.parametrize("bandwidth", [0.0, -1.0, np.nan, np.inf, 1e-9])
def test_a_bandwidth_has_a_width(bandwidth: float) -> None:
    with pytest.raises(ValueError, match=r"^bandwidth is .* give a width on the scale of spend"):
        smoothed(evenly_spread(flat, 0.5, n=10), TRIANGULAR, bandwidth)


@pytest.mark.parametrize(
    ("column", "number", "message"),
    [
        ("spend", 1.2, r"^row 3: spend is 1.2. Logged levels lie between 0 and 1"),
        ("spend", np.nan, "^row 3: spend is nan"),
        ("density", 0.0, "^row 3: density is 0. Give a positive density per unit of spend"),
        ("density", np.nan, "^row 3: density is nan"),
        ("density", 1e12, r"^row 3: density is 1e\+12. .* a fixed level has none"),
        ("evaluation_spend", np.inf, r"^row 3: evaluation_spend is inf. Decide for a level"),
    ],
)
def test_a_bad_row_is_named(column: str, number: float, message: str) -> None:
    rounds = evenly_spread(flat, 0.5, n=10)
    changed = getattr(rounds, column).copy()
    changed[3] = number
    with pytest.raises(ValueError, match=message):
        replace(rounds, **{column: changed})


def test_records_fit_together() -> None:
    rounds = evenly_spread(flat, 0.5, n=10)
    with pytest.raises(ValueError, match=r"^density has shape \(3,\), but there are 10 rewards"):
        replace(rounds, density=np.ones(3))
    with pytest.raises(ValueError, match=r"^levels from 1 to 0: give two ends"):
        replace(rounds, lower=1.0, upper=0.0)
