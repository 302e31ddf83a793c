"""Objectives: what learners minimize, one value per task over the rows of a padded batch.

Notation: rho = pi(a|x) / mu, the weight of the logged action a with logged propensity mu; r the reward; m the
mask, 1 on real rows and 0 on padding.  Means run over the real rows of each task.

All of them are in ratio form.  The familiar surrogate detach(rho) * r * log pi has the same gradient and a
wrong Hessian, so a meta-gradient that passes through an inner step of it is wrong (by 15 % in the reference
example of the tests).
"""

import torch
from torch import Tensor

from offline_rl.reward_model import negative_log_likelihood


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean over the real rows of each task: [T, N] → [T]; 0 for a task without rows.

    >>> masked_mean(torch.tensor([[1.0, 3.0, 9.0]]), torch.tensor([[True, True, False]])).tolist()
    [2.0]
    """
    weights = mask.to(values.dtype)
    return (values * weights).sum(-1) / weights.sum(-1).clamp_min(1.0)


def weights_of(log_probability: Tensor, propensity: Tensor) -> Tensor:
    """rho = pi(a|x) / mu of the logged actions, [T, N]."""
    return log_probability.exp() / propensity


def importance_weighted_loss(
    log_probability: Tensor, propensity: Tensor, advantage: Tensor, mask: Tensor, *, clip: float
) -> Tensor:
    """Importance-weighted REINFORCE, L = -mean min(rho A, min(rho, clip) A), one value per task.

    log_probability [T, N] is log pi of the logged action, advantage A = r - b(x) with a baseline b that
    doesn't depend on the action, so that it lowers the variance and adds no bias.  Where A > 0 the weight is
    clipped; where A < 0 it is not: the value stays a lower bound, and an action that did badly keeps its
    gradient however often the policy now takes it.  With clip = inf it is the plain estimate.
    Source: Williams 1992; the clipped weight, Ionides 2008; the outer minimum, Schulman et al. 2017, eq. 7.

    Two rows, rho = 2 and 0.5, A = 1 and -1, clip 1.5: -(1.5 - 0.5) / 2.

    >>> importance_weighted_loss(
    ...     torch.tensor([[0.8, 0.2]]).log(), torch.tensor([[0.4, 0.4]]), torch.tensor([[1.0, -1.0]]),
    ...     torch.tensor([[True, True]]), clip=1.5).item()
    -0.5
    """
    weight = weights_of(log_probability, propensity)
    return -masked_mean(torch.minimum(weight * advantage, weight.clamp_max(clip) * advantage), mask)


def likelihood_loss(score: Tensor, reward: Tensor, mask: Tensor, *, is_binary: bool) -> Tensor:
    """Reward-model loss, L = mean negative log-likelihood of the logged rewards, one value per task.

    A score of 0 says q = 1/2, which costs log 2 whatever happens.

    >>> likelihood_loss(torch.zeros(1, 2), torch.tensor([[0.0, 1.0]]), torch.ones(1, 2), is_binary=True)
    tensor([0.6931])
    """
    return masked_mean(negative_log_likelihood(score, reward, is_binary=is_binary), mask)


def divergence_from_logging(log_probability: Tensor, propensity: Tensor, mask: Tensor) -> Tensor:
    """KL(pi || mu) estimated from the logged actions alone: mean(rho log rho - rho + 1), one value per task.

    The log holds the propensity of the logged action only, so the sum over actions is replaced by the logging
    policy's own draws: E_mu[rho log rho] = KL(pi || mu).  Adding 1 - rho, whose expectation is 0, makes every
    row non-negative and the estimate less noisy.  Zero exactly where pi equals the logged propensities.

    >>> divergence_from_logging(torch.tensor([[0.3]]).log(), torch.tensor([[0.3]]), torch.ones(1, 1)).item()
    0.0
    """
    log_weight = log_probability - propensity.log()
    weight = log_weight.exp()
    return masked_mean(weight * log_weight - weight + 1.0, mask)


def entropy(log_probabilities: Tensor, mask: Tensor) -> Tensor:
    """Mean entropy of pi(.|x) over available items, one value per task; log_probabilities is [T, N, A].

    >>> entropy(torch.tensor([[[0.5, 0.5, 0.0]]]).log(), torch.ones(1, 1))
    tensor([0.6931])
    """
    # An item that can't be shown has log pi = -inf; 0 * -inf would be NaN, in the gradient too, so it is
    # replaced before the product.
    finite = log_probabilities.masked_fill(log_probabilities == -torch.inf, 0.0)
    return masked_mean(-(log_probabilities.exp() * finite).sum(-1), mask)


def effective_sample_size(weight: Tensor, mask: Tensor) -> Tensor:
    """ESS = (sum rho)^2 / sum rho^2 over the real rows of each task: [T, N] → [T]; 0 where all weights are 0.

    >>> effective_sample_size(torch.tensor([[1.0, 1.0, 0.0]]), torch.ones(1, 3)).item()
    2.0
    """
    kept = weight * mask.to(weight.dtype)
    squares = kept.square().sum(-1)
    return torch.where(squares > 0, kept.sum(-1).square() / squares, squares)


def doubly_robust_terms(
    probabilities: Tensor, action: Tensor, propensity: Tensor, reward: Tensor, q_hat: Tensor
) -> Tensor:
    """Each row's term of the doubly robust value: sum_a pi(a|x) q_hat(x, a) + rho (r - q_hat of the action).

    probabilities and q_hat [..., A], the others [...].  Its mean over the log estimates the policy's value,
    and the difference of two policies' terms on the same rows has little noise where they agree.
    Source: Dudík, Langford & Li 2011, eq. 1.

    pi = (0.5, 0.5), q_hat = (0.2, 0.4), action 0 with propensity 0.25 rewarded 1: 0.3 + 2 * 0.8.

    >>> doubly_robust_terms(torch.tensor([[0.5, 0.5]]), torch.tensor([0]), torch.tensor([0.25]),
    ...     torch.tensor([1.0]), torch.tensor([[0.2, 0.4]]))
    tensor([1.9000])
    """
    logged = action.unsqueeze(-1)
    weight = probabilities.gather(-1, logged).squeeze(-1) / propensity
    correction = weight * (reward - q_hat.gather(-1, logged).squeeze(-1))
    return (probabilities * q_hat).sum(-1) + correction
