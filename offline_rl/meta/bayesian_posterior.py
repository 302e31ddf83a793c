"""The posterior mode of a segment's weights: Bayesian logistic or linear regression with an offset.

    w* = argmin  C(w) = sum_i NLL(f_i + psi_i·w, r_i) + |w|^2 / 2
    dC = psi' e + w,   H = I + psi' V psi

logistic (0/1 rewards): e = q - r and V = q (1 - q) with q = sigmoid(f + psi·w), solved by Newton steps
w - H^-1 dC; linear: e = (f + psi·w - r) / noise and V = 1 / noise, solved by one.

H has as many rows as there are features, P. Woodbury's identity has as many as there are rounds, N:

    H^-1 = I - psi' sqrt(V) B^-1 sqrt(V) psi,   B = I + sqrt(V) K sqrt(V),   K = psi psi'

and B is factorized, for all segments in one batch (Rasmussen & Williams 2006, algorithm 3.1). Beyond
`LARGEST_FACTORIZATION` rounds conjugate gradients take over, which need products with psi alone; the prior
keeps the smallest eigenvalue of H at 1.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from offline_rl.meta.bayesian_features import Batch, Parameters, RowFeatures, row_features
from offline_rl.reward_model import negative_log_likelihood

LARGEST_FACTORIZATION = 512
"""Rounds up to which B is factorized: its work grows with their cube, its memory with their square."""

LOOSE = 0.03
"""Tolerance in log-odds while learning: after a step this short, the next is of a thousandth."""

_NEWTON_STEPS, _HALVINGS = 20, 10

# Conjugate gradients: relative residual at which they stop, and their longest run.
_RESIDUAL, _ITERATIONS = 1e-6, 500

Solve = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Evidence:
    """What T tasks have logged in N rows each, and the noise of rewards (of linear ones only).

    offset, reward, and mask (1 on real rows, 0 on padding) [T, N].
    """

    features: RowFeatures
    offset: Tensor
    reward: Tensor
    mask: Tensor
    noise: Tensor
    is_binary: bool

    def error(self, deviation: Tensor) -> Tensor:
        """Return e of every row: the derivative of its cost by its score."""
        score = self.offset + deviation
        if self.is_binary:
            return self.mask * (torch.sigmoid(score) - self.reward)
        return self.mask * (score - self.reward) / self.noise

    def curvature(self, deviation: Tensor) -> Tensor:
        """Return V of every row: the second derivative of its cost by its score."""
        if self.is_binary:
            score = self.offset + deviation
            return self.mask * torch.sigmoid(score) * torch.sigmoid(-score)
        return self.mask / self.noise

    def cost(self, weights: Tensor, deviation: Tensor) -> Tensor:
        """Return the cost C of every task, [T]."""
        costs = negative_log_likelihood(self.offset + deviation, self.reward, is_binary=self.is_binary)
        scale = 1.0 if self.is_binary else self.noise
        return (self.mask * costs / scale).sum(-1) + 0.5 * weights.square().sum(-1)

    def gradient(self, weights: Tensor) -> Tensor:
        """Return dC of every task: the gradient of its cost, [T, P]."""
        return self.features.transposed_times(self.error(self.features.times(weights))) + weights


def evidence_of(prior: Parameters, batch: Batch, *, is_binary: bool) -> Evidence:
    """Return the evidence of a padded batch that also holds the scores "offset"; rewards in their units."""
    return Evidence(
        features=row_features(prior, batch),
        offset=batch["offset"],
        reward=batch["reward"],
        mask=batch["mask"].to(batch["offset"].dtype),
        noise=prior["log_noise"].exp(),
        is_binary=is_binary,
    )


def posterior_mode(evidence: Evidence, *, differentiable: bool = False, tolerance: float = 1e-3) -> Tensor:
    """Return the most probable weights [T, P] given the rows; 0 for a task without rows.

    Newton's error is about the square of its last step, so it ends with one that moves no score by more than
    the tolerance.

    With `differentiable` they carry the exact gradient with respect to features and noise: the mode moves by
    -H^-1 d(dC), which is the implicit function theorem, and no step that led there need be remembered.
    """
    with torch.no_grad():
        weights, solve = _newton(evidence, tolerance)
    if not differentiable:
        return weights
    remainder: Tensor = _SolveAtMode.apply(evidence.gradient(weights), solve)  # type: ignore[no-untyped-call]
    return weights - remainder


class _SolveAtMode(torch.autograd.Function):
    """H^-1 g with H held constant: where g = 0, the derivative of H has no part in that of H^-1 g."""

    @staticmethod
    def forward(ctx: Any, gradient: Tensor, solve: Solve) -> Tensor:
        ctx.solve = solve
        return solve(gradient)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None]:
        return ctx.solve(upstream), None


def _newton(evidence: Evidence, tolerance: float) -> tuple[Tensor, Solve]:
    """Return the mode and H^-1 there, by Newton steps that are halved where they raise a task's cost."""
    features = evidence.features
    is_small = evidence.offset.shape[-1] <= LARGEST_FACTORIZATION
    kernel = features.kernel() if is_small else None
    weights = torch.zeros_like(features.transposed_times(evidence.offset))
    deviation = torch.zeros_like(evidence.offset)
    cost = evidence.cost(weights, deviation)
    for _ in range(_NEWTON_STEPS):
        solve = _inverse(features, evidence.curvature(deviation), kernel)
        gradient = features.transposed_times(evidence.error(deviation)) + weights
        step = -solve(gradient)
        change = features.times(step)
        scale = _decreasing(evidence, (weights, deviation), (step, change), cost).unsqueeze(-1)
        weights, deviation = weights + scale * step, deviation + scale * change
        cost = evidence.cost(weights, deviation)
        if float((scale * change * evidence.mask).abs().max()) < tolerance:
            break
    return weights, solve


def _decreasing(
    evidence: Evidence, at: tuple[Tensor, Tensor], step: tuple[Tensor, Tensor], cost: Tensor
) -> Tensor:
    """Return the share of the step, 1 or halved until the cost doesn't rise, for every task."""
    scale = torch.ones_like(cost)
    for _ in range(_HALVINGS):
        part = scale.unsqueeze(-1)
        tried = evidence.cost(at[0] + part * step[0], at[1] + part * step[1])
        # Rounding may raise the cost in its last digits where there is nothing left to gain.
        is_worse = ~(tried <= cost + 1e-5 * (1.0 + cost.abs()))
        if not bool(is_worse.any()):
            break
        scale = torch.where(is_worse, 0.5 * scale, scale)
    return torch.where(is_worse, 0.0, scale)


def _inverse(features: RowFeatures, curvature: Tensor, kernel: Tensor | None) -> Solve:
    """Return v [T, P] → H^-1 v: by factorization with the rows' kernel [T, N, N], else by iteration."""
    if kernel is None:
        return lambda vector: _conjugate_gradients(features, curvature, vector)
    root = curvature.sqrt()
    system = root.unsqueeze(-1) * kernel * root.unsqueeze(-2)
    system.diagonal(dim1=-2, dim2=-1).add_(1.0)
    # A prior that has diverged has no factor; NaN stops the outer loop, which reports it.
    factor, failed = torch.linalg.cholesky_ex(system)
    factor = factor.masked_fill((failed != 0)[:, None, None], torch.nan)

    def solve(vector: Tensor) -> Tensor:
        rows = (root * features.times(vector)).unsqueeze(-1)
        return vector - features.transposed_times(root * torch.cholesky_solve(rows, factor).squeeze(-1))

    return solve


def _conjugate_gradients(features: RowFeatures, curvature: Tensor, vector: Tensor) -> Tensor:
    """Return H^-1 v by Hestenes & Stiefel's iteration, for all tasks together."""
    solution, residual, direction = torch.zeros_like(vector), vector, vector
    squared = residual.square().sum(-1, keepdim=True)
    enough = squared * _RESIDUAL**2
    for _ in range(_ITERATIONS):
        if bool((squared <= enough).all()):
            break
        product = direction + features.transposed_times(curvature * features.times(direction))
        step = _ratio(squared, (direction * product).sum(-1, keepdim=True))
        solution = solution + step * direction
        residual = residual - step * product
        renewed = residual.square().sum(-1, keepdim=True)
        direction = residual + _ratio(renewed, squared) * direction
        squared = renewed
    return solution


def _ratio(part: Tensor, whole: Tensor) -> Tensor:
    # A task that has converged to the last digit would divide zero by zero.
    return torch.where(whole > 0, part / torch.where(whole > 0, whole, 1.0), 0.0)
