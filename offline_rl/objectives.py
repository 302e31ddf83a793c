"""Objectives: what learners minimize, one value per task over the rows of a padded batch.

Notation: rho = pi(a|x) / mu, the weight of the logged action a with logged propensity mu; r the reward; m the
mask, 1 on real rows and 0 on padding. Means run over the real rows of each task. Rows that were drawn with
unequal probabilities carry their correction in the mask (see `masked_mean`). Shapes that differ are refused
with ValueError: nothing broadcasts.

All of them are in ratio form. The familiar surrogate detach(rho) * r * log pi has the same gradient and a
wrong Hessian, so a meta-gradient that passes through an inner step of it is wrong (by 15 % in the reference
example of the tests).
"""

import torch
from torch import Tensor

from offline_rl.reward_model import negative_log_likelihood
from offline_rl.shapes import check_by_action, check_same_shape


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Return the mean over the real rows of each task: [T, N] → [T]; 0 for a task without rows.

        sum_i m_i v_i / #{i: m_i > 0}

    A mask of numbers multiplies its rows and still divides by their count: with the inverse of the
    probability that a row was drawn (`offline_rl.meta.replay`) the mean is unbiased, which one divided by the
    sum of the numbers isn't.

    >>> masked_mean(torch.tensor([[1.0, 3.0, 9.0]]), torch.tensor([[True, True, False]])).tolist()
    [2.0]
    >>> masked_mean(torch.tensor([[1.0, 3.0, 9.0]]), torch.tensor([[0.5, 1.5, 0.0]])).tolist()
    [2.5]
    """
    check_same_shape(values=values, mask=mask)
    rows = (mask > 0).sum(-1).clamp_min(1)
    return (values * mask.to(values.dtype)).sum(-1) / rows


def weights_of(log_probability: Tensor, propensity: Tensor) -> Tensor:
    """Return rho = pi(a|x) / mu of the logged actions, [T, N]."""
    check_same_shape(log_probability=log_probability, propensity=propensity)
    return log_probability.exp() / propensity


def importance_weighted_loss(
    log_probability: Tensor, propensity: Tensor, advantage: Tensor, mask: Tensor, *, clip: float
) -> Tensor:
    """Compute importance-weighted REINFORCE, L = -mean min(rho A, min(rho, clip) A), one value per task.

    log_probability [T, N] is log pi of the logged action, advantage A = r - b(x) with a baseline b that
    doesn't depend on the action, so that it lowers the variance and adds no bias. Where A > 0 the weight is
    clipped; where A < 0 it is not: the value stays a lower bound, and an action that did badly keeps its
    gradient however often the policy now takes it. With clip = inf it is the plain estimate.
    Source: Williams 1992; the clipped weight, Ionides 2008; the outer minimum, Schulman et al. 2017, eq. 7.

    Two rows, rho = 2 and 0.5, A = 1 and -1, clip 1.5: -(1.5 - 0.5) / 2.

    >>> importance_weighted_loss(
    ...     torch.tensor([[0.8, 0.2]]).log(), torch.tensor([[0.4, 0.4]]), torch.tensor([[1.0, -1.0]]),
    ...     torch.tensor([[True, True]]), clip=1.5).item()
    -0.5
    """
    check_same_shape(log_probability=log_probability, advantage=advantage)
    weight = weights_of(log_probability, propensity)
    return -masked_mean(torch.minimum(weight * advantage, weight.clamp_max(clip) * advantage), mask)


def implicit_exploration_loss(
    log_probability: Tensor, propensity: Tensor, reward: Tensor, mask: Tensor, *, gamma: float
) -> Tensor:
    """Compute implicit exploration (IX), L = -mean pi(a|x) / (mu + gamma) * r, per task; rewards >= 0.

    Linear in pi, so smooth to every order, and no weight exceeds 1 / gamma. Since it never overstates a row
    with r >= 0 it is pessimistic: E[-L] = E_pi[r mu / (mu + gamma)] <= the policy's value. Rewards less a
    baseline lose that guarantee. gamma of the order sqrt(1 / (n A)) balances bias and noise; 0 is plain IPS.
    Source: Kocák, Neu, Valko & Munos 2014, eq. 2; Gabbianelli, Neu & Papini 2024.

    pi = (0.8, 0.2), mu = 0.4, gamma = 0.1, r = (1, 0): -(0.8 / 0.5) / 2.

    >>> round(implicit_exploration_loss(
    ...     torch.tensor([[0.8, 0.2]]).log(), torch.tensor([[0.4, 0.4]]), torch.tensor([[1.0, 0.0]]),
    ...     torch.tensor([[True, True]]), gamma=0.1).item(), 4)
    -0.8
    """
    check_same_shape(log_probability=log_probability, propensity=propensity, reward=reward)
    return -masked_mean(log_probability.exp() / (propensity + gamma) * reward, mask)


def self_normalized_loss(log_probability: Tensor, propensity: Tensor, reward: Tensor, mask: Tensor) -> Tensor:
    """Compute self-normalized IPS (SNIPS), L = -sum rho r / sum rho, per task; 0 for a task without rows.

    The same under any shift of the rewards, and never beyond the rewards seen; biased by O(1 / n). The ratio
    is differentiated as a whole: its denominator is not a constant.
    Source: Swaminathan & Joachims 2015, "The Self-Normalized Estimator for Counterfactual Learning", eq. 9.

    rho = (2, 0.5), r = (1, 0): -2 / 2.5.

    >>> round(self_normalized_loss(
    ...     torch.tensor([[0.8, 0.2]]).log(), torch.tensor([[0.4, 0.4]]), torch.tensor([[1.0, 0.0]]),
    ...     torch.tensor([[True, True]])).item(), 4)
    -0.8
    """
    check_same_shape(log_probability=log_probability, reward=reward, mask=mask)
    weight = weights_of(log_probability, propensity) * mask.to(log_probability.dtype)
    total = weight.sum(-1)
    return -(weight * reward).sum(-1) / torch.where(total > 0, total, torch.ones_like(total))


def doubly_robust_loss(
    log_probabilities: Tensor,
    action: Tensor,
    propensity: Tensor,
    reward: Tensor,
    q_hat: Tensor,
    *,
    mask: Tensor,
    clip: float,
) -> Tensor:
    """Compute the doubly robust loss -mean [sum_a pi(a|x) q(x, a) + min(rho, clip) (r - q(x, a_i))] per task.

    log_probabilities and q_hat are [T, N, A], the others [T, N]. q_hat must not have seen the rows that it
    corrects (cross-fit it, see `offline_rl.meta.cross_fitting`): its own fit would pass for evidence. A
    constant q_hat = b is IPS with baseline b.
    Source: Dudík, Langford & Li 2011, eq. 1, as an objective; the clip, Su et al. 2020.

    pi = (0.5, 0.5), q_hat = (0.2, 0.4), action 0 with propensity 0.25 rewarded 1: -(0.3 + 2 * 0.8).

    >>> round(doubly_robust_loss(torch.tensor([[[0.5, 0.5]]]).log(), torch.tensor([[0]]),
    ...     torch.tensor([[0.25]]), torch.tensor([[1.0]]), torch.tensor([[[0.2, 0.4]]]),
    ...     mask=torch.ones(1, 1), clip=10.0).item(), 4)
    -1.9
    """
    check_same_shape(reward=reward, action=action, propensity=propensity)
    check_by_action("reward", reward, log_probabilities=log_probabilities, q_hat=q_hat)
    logged = action.unsqueeze(-1)
    weight = weights_of(log_probabilities.gather(-1, logged).squeeze(-1), propensity).clamp_max(clip)
    correction = weight * (reward - q_hat.gather(-1, logged).squeeze(-1))
    return -masked_mean((log_probabilities.exp() * q_hat).sum(-1) + correction, mask)


def likelihood_loss(score: Tensor, reward: Tensor, mask: Tensor, *, is_binary: bool) -> Tensor:
    """Compute the reward model's loss: mean negative log-likelihood of the logged rewards, per task.

    A score of 0 says q = 1/2, which costs log 2 whatever happens.

    >>> likelihood_loss(torch.zeros(1, 2), torch.tensor([[0.0, 1.0]]), torch.ones(1, 2), is_binary=True)
    tensor([0.6931])
    """
    check_same_shape(score=score, reward=reward)
    return masked_mean(negative_log_likelihood(score, reward, is_binary=is_binary), mask)


def divergence_from_logging(log_probability: Tensor, propensity: Tensor, mask: Tensor) -> Tensor:
    """Estimate KL(pi || mu) from the logged actions alone: mean(rho log rho - rho + 1), one value per task.

    The log holds the propensity of the logged action only, so the sum over actions is replaced by the logging
    policy's own draws: E_mu[rho log rho] = KL(pi || mu). Adding 1 - rho, whose expectation is 0, makes every
    row non-negative and the estimate less noisy. Zero exactly where pi equals the logged propensities.

    >>> divergence_from_logging(torch.tensor([[0.3]]).log(), torch.tensor([[0.3]]), torch.ones(1, 1)).item()
    0.0
    """
    check_same_shape(log_probability=log_probability, propensity=propensity)
    log_weight = log_probability - propensity.log()
    weight = log_weight.exp()
    return masked_mean(weight * log_weight - weight + 1.0, mask)


def entropy(log_probabilities: Tensor, mask: Tensor) -> Tensor:
    """Return the mean entropy of pi(.|x) over available items per task; log_probabilities is [T, N, A].

    >>> entropy(torch.tensor([[[0.5, 0.5, 0.0]]]).log(), torch.ones(1, 1))
    tensor([0.6931])
    """
    # An item that can't be shown has log pi = -inf; 0 * -inf would be NaN, in the gradient too, so it is
    # replaced before the product.
    finite = log_probabilities.masked_fill(log_probabilities == -torch.inf, 0.0)
    return masked_mean(-(log_probabilities.exp() * finite).sum(-1), mask)


def effective_sample_size(weight: Tensor, mask: Tensor) -> Tensor:
    """Return (sum rho)^2 / sum rho^2 over each task's real rows: [T, N] → [T]; 0 where all weights are 0.

    >>> effective_sample_size(torch.tensor([[1.0, 1.0, 0.0]]), torch.ones(1, 3)).item()
    2.0
    """
    check_same_shape(weight=weight, mask=mask)
    kept = weight * mask.to(weight.dtype)
    squares = kept.square().sum(-1)
    return torch.where(squares > 0, kept.sum(-1).square() / squares, squares)


def doubly_robust_terms(
    probabilities: Tensor, action: Tensor, propensity: Tensor, reward: Tensor, q_hat: Tensor
) -> Tensor:
    """Return each row's doubly robust term: sum_a pi(a|x) q_hat(x, a) + rho (r - q_hat of the action).

    probabilities and q_hat [..., A], the others [...]. Its mean over the log estimates the policy's value,
    and the difference of two policies' terms on the same rows has little noise where they agree.
    Source: Dudík, Langford & Li 2011, eq. 1.

    pi = (0.5, 0.5), q_hat = (0.2, 0.4), action 0 with propensity 0.25 rewarded 1: 0.3 + 2 * 0.8.

    >>> doubly_robust_terms(torch.tensor([[0.5, 0.5]]), torch.tensor([0]), torch.tensor([0.25]),
    ...     torch.tensor([1.0]), torch.tensor([[0.2, 0.4]]))
    tensor([1.9000])
    """
    check_same_shape(reward=reward, action=action, propensity=propensity)
    check_by_action("reward", reward, probabilities=probabilities, q_hat=q_hat)
    logged = action.unsqueeze(-1)
    weight = probabilities.gather(-1, logged).squeeze(-1) / propensity
    correction = weight * (reward - q_hat.gather(-1, logged).squeeze(-1))
    return (probabilities * q_hat).sum(-1) + correction
