"""Segment effects: the posterior of a linear mixed model of residuals, in closed form and exactly.

In segment s, for item a with features z_a and a round with columns x (x_0 = 1):

    e = w (u_sa(x) + noise),  u_sa(x) = l_a' b_s + x' theta_sa,  Var noise = dispersion / w
    b_s ~ N(0, diag(shared)),  theta_sa ~ N(0, diag(action))

e = r - q_pool is the pooled model's residual and w the derivative of its mean by its score (q (1 - q) for
0/1 rewards, 1 for others), so that u is in units of the score. l_a = (1, z_a) makes items with like features
move together: its 1 is the segment's level, which no choice depends on and which would otherwise be taken for
differences between items. With l = () and w = 1 it is the model of Hong et al. 2023 (HierOPO, arXiv
2212.04720); the weights are those of Bühlmann & Straub 1970.

Everything is computed for zeta = theta / sqrt(variance), whose prior is N(0, I): a variance of zero then
needs no case of its own. Items meet only through b_s, so the precision is block diagonal with a border, and
one small inverse per item and one per segment are the whole solution (Henderson's equations by Schur
complement).
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class ResidualSums:
    """Sums over the rounds of each segment and item: all that the posterior needs of the log.

    gram [S, A, k, k] = sum w x x', moment [S, A, k] = sum x e, squares = sum e^2 / w over all n rounds.
    """

    gram: Tensor
    moment: Tensor
    squares: float
    n: int


@dataclass(frozen=True, eq=False)
class EffectPrior:
    """Variances of the effects, shared [p] and action [k] (the same for every item), and the dispersion."""

    shared: Tensor
    action: Tensor
    dispersion: float

    def times(self, share: float) -> "EffectPrior":
        """Return the same with a share of every variance but the level's, which no choice depends on."""
        return EffectPrior(
            torch.cat([self.shared[:1], share * self.shared[1:]]), share * self.action, self.dispersion
        )


@dataclass(frozen=True, eq=False)
class EffectPosterior:
    """Posterior of zeta = effect / sqrt(prior variance), for S segments and A items.

    shared_mean [S, p], shared_covariance [S, p, p]; action_mean [S, A, k]; own_covariance [S, A, k, k], an
    item's covariance where b_s is known; pull [S, A, k], how far an item's effects move when the shared
    effect on it moves by one; lift [A, p], the loading in units of zeta.
    """

    prior: EffectPrior
    lift: Tensor
    shared_mean: Tensor
    shared_covariance: Tensor
    action_mean: Tensor
    own_covariance: Tensor
    pull: Tensor

    def coefficients(self) -> Tensor:
        """Return coefficients [S, A, k] such that the posterior mean of u_sa(x) is x' coefficients."""
        values = self.action_mean * self.prior.action.sqrt()
        values[..., 0] += self.shared_mean @ self.lift.T
        return values

    def shared_variance_on_items(self) -> Tensor:
        """Return the posterior variance of l_a' b_s: [S, A]."""
        return torch.einsum("ap,spr,ar->sa", self.lift, self.shared_covariance, self.lift)

    def action_variances(self) -> Tensor:
        """Return the posterior variances of zeta_sa: [S, A, k], uncertainty about b_s included."""
        own = self.own_covariance.diagonal(dim1=-2, dim2=-1)
        return own + self.pull.square() * self.shared_variance_on_items().unsqueeze(-1)


def loading_of(item_features: Tensor) -> Tensor:
    """Return l [A, 1 + f]: a one, and the item features standardized over the items (0 where all are alike).

    >>> loading_of(torch.tensor([[1.0, 5.0], [3.0, 5.0]])).tolist()
    [[1.0, -1.0, 0.0], [1.0, 1.0, 0.0]]
    """
    features = item_features.to("cpu", torch.float64)
    centered = features - features.mean(0)
    spread = centered.square().mean(0).sqrt()
    standard = torch.where(spread > 1e-9, centered / spread.clamp_min(1e-9), torch.zeros_like(centered))
    return torch.cat([torch.ones(len(features), 1, dtype=torch.float64), standard], dim=1)


def residual_sums(
    columns: Tensor, weight: Tensor, residual: Tensor, cell: Tensor, shape: tuple[int, int]
) -> ResidualSums:
    """Sum n rounds: columns [n, k], weight w, residual e and cell = segment * A + item [n], shape (S, A).

    >>> one = torch.ones(3, dtype=torch.float64)
    >>> sums = residual_sums(one[:, None], one, torch.tensor([1.0, 0.0, 1.0], dtype=torch.float64),
    ...     torch.tensor([0, 0, 1]), (1, 2))
    >>> sums.gram.flatten().tolist(), sums.moment.flatten().tolist()
    ([2.0, 1.0], [1.0, 1.0])
    """
    # On the CPU in float64: sums there run in one order, and one product per cell needs no [n, k, k].
    columns, weight, residual = (value.to("cpu", torch.float64) for value in (columns, weight, residual))
    cell = cell.to("cpu")
    cells, k = shape[0] * shape[1], columns.shape[1]
    gram = torch.zeros(cells, k, k, dtype=torch.float64)
    moment = torch.zeros(cells, k, dtype=torch.float64)
    order = torch.argsort(cell, stable=True)
    weighted, products = columns * weight.unsqueeze(-1), columns * residual.unsqueeze(-1)
    present, counts = torch.unique(cell, return_counts=True)
    for at, rows in zip(present.tolist(), torch.split(order, counts.tolist()), strict=True):
        gram[at] = weighted[rows].T @ columns[rows]
        moment[at] = products[rows].sum(0)
    return ResidualSums(
        gram=gram.reshape(*shape, k, k),
        moment=moment.reshape(*shape, k),
        squares=float((residual.square() / weight).sum()),
        n=len(cell),
    )


def effect_posterior(sums: ResidualSums, loading: Tensor, prior: EffectPrior) -> EffectPosterior:
    """Return the exact posterior of every segment's effects.

    One item, no shared effects, x = 1: with n rounds of w = 1, mean residual e and prior variance T the mean
    is e n / (n + dispersion / T). Here n = 4, e = 0.5, T = 0.25 and dispersion 1: half of it.

    >>> double = torch.float64
    >>> sums = ResidualSums(torch.full((1, 1, 1, 1), 4.0, dtype=double),
    ...     torch.full((1, 1, 1), 2.0, dtype=double), squares=4.0, n=4)
    >>> prior = EffectPrior(torch.zeros(1, dtype=double), torch.tensor([0.25], dtype=double), dispersion=1.0)
    >>> effect_posterior(sums, torch.ones(1, 1, dtype=double), prior).coefficients().item()
    0.25
    """
    deviation = prior.action.sqrt()
    gram = sums.gram * (deviation.unsqueeze(-1) * deviation) / prior.dispersion
    moment = sums.moment * deviation / prior.dispersion
    border = sums.gram[..., 0] * deviation / prior.dispersion
    identity = torch.eye(len(deviation), dtype=gram.dtype)
    own_covariance = torch.linalg.inv(gram + identity)
    pull = _apply(own_covariance, border)
    alone = _apply(own_covariance, moment)
    lift = loading * prior.shared.sqrt()
    # Information of an item on the shared effect, less the part that its own effects explain.
    information = sums.gram[..., 0, 0] / prior.dispersion - (border * pull).sum(-1)
    evidence = sums.moment[..., 0] / prior.dispersion - (pull * moment).sum(-1)
    precision = torch.einsum("sa,ap,ar->spr", information, lift, lift)
    shared_covariance = torch.linalg.inv(precision + torch.eye(lift.shape[1], dtype=lift.dtype))
    shared_mean = _apply(shared_covariance, evidence @ lift)
    return EffectPosterior(
        prior=prior,
        lift=lift,
        shared_mean=shared_mean,
        shared_covariance=shared_covariance,
        action_mean=alone - pull * (shared_mean @ lift.T).unsqueeze(-1),
        own_covariance=own_covariance,
        pull=-pull,
    )


def _apply(matrix: Tensor, vector: Tensor) -> Tensor:
    return (matrix @ vector.unsqueeze(-1)).squeeze(-1)
