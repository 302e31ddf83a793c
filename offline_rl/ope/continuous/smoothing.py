"""Kernel smoothing of a policy over levels, which turns a continuous problem into importance weights."""

import numpy as np

from offline_rl.ope.continuous.kernels import Kernel
from offline_rl.ope.continuous.records import SpendRounds
from offline_rl.ope.records import EvaluationRounds, Floats


def smoothed(rounds: SpendRounds, kernel: Kernel, bandwidth: float) -> EvaluationRounds:
    """Return the rounds as seen by a policy that draws its level from the kernel around the decided one.

    The weight is K_h(a − e) / f_b(a∣x), see `kernel_density`. What evaluates weights now evaluates levels:

    | estimator | value | name in the paper |
    |---|---|---|
    | `ips` | (1/n) Σ K_h(a − e) r / f_b(a∣x) | kernel IPS |
    | `snips` | Σ (K_h r / f_b) / Σ (K_h / f_b) | its normalized form |
    | `dr` | (1/n) Σ [q̂(x, e) + K_h (r − q̂(x, a)) / f_b] | doubly robust |

    and so do clipped forms, intervals, diagnostics and the gate. The smoothed policy is not the policy: away
    from the ends its value is off by h²/2 · second_moment · m'', m being the expected reward of a level (for
    `dr`, m − q̂, so that an exact model leaves no error), while the variance grows as 1/(n h).

    A level outside [lower, upper] gets no weight and counts as unsupported, which the gate refuses.

    bandwidth: h, in the unit of spend. Raises ValueError unless it is finite and at least twice the grain.

    Source: Kallus & Zhou 2018, "Policy evaluation and optimization with continuous treatments" (AISTATS).
    Open Bandit Pipeline puts one q̂ in both places of `dr`; if that is q̂(x, e), an exact model does not
    correct the smoothing.
    """
    if not (np.isfinite(bandwidth) and bandwidth >= 2 * rounds.grain):
        raise ValueError(
            f"bandwidth is {bandwidth:g}: give a width on the scale of spend, at least {2 * rounds.grain:g}."
        )
    is_supported = (rounds.lower <= rounds.evaluation_spend) & (rounds.evaluation_spend <= rounds.upper)
    around = np.clip(rounds.evaluation_spend, rounds.lower, rounds.upper)
    density = kernel_density(kernel, rounds.spend, around, bandwidth, lower=rounds.lower, upper=rounds.upper)
    return EvaluationRounds(
        reward=rounds.reward,
        propensity=rounds.density * rounds.grain,
        evaluation_prob=np.where(is_supported, density * rounds.grain, 0.0),
        cluster=rounds.cluster,
        segment=rounds.segment,
        q_logged=rounds.q_logged,
        q_policy=rounds.q_policy,
        unsupported_mass=(~is_supported).astype(float),
    )


def kernel_density(
    kernel: Kernel, level: Floats, around: Floats, bandwidth: float, *, lower: float, upper: float
) -> Floats:
    """Return K_h(a − e) = K((a − e) / h) / h, divided by its mass on [lower, upper].

    Without the division half of the kernel would hang over the end for e at 0 spend, and so would half of the
    value. With it the density sums to one wherever e lies. What is left is a bias of order h within h of an
    end, h² elsewhere: levels on one side of e lean to that side.

    Source: Kallus & Zhou 2018 on bounded treatments; Jones 1993, "Simple boundary correction for kernel
    density estimation", local renormalization.

    At the lower end the triangle is twice as high as in the middle.

    >>> from offline_rl.ope.continuous.kernels import KERNELS
    >>> at = np.array([0.0, 5.0])
    >>> kernel_density(KERNELS["triangular"], at, at, 2.0, lower=0.0, upper=10.0).tolist()
    [1.0, 0.5]
    """
    below, above = (lower - around) / bandwidth, (upper - around) / bandwidth
    mass = kernel.cumulative(above) - kernel.cumulative(below)
    return kernel.density((level - around) / bandwidth) / (bandwidth * mass)
