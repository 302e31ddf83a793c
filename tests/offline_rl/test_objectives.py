import math

import pytest
import torch

from offline_rl import objectives

ROWS = torch.ones(1, 3, dtype=torch.bool)


def exact(values: list[float]) -> torch.Tensor:
    return torch.tensor([values], dtype=torch.float64)


def weighted(log_probability: torch.Tensor, advantage: list[float], clip: float = math.inf) -> torch.Tensor:
    return objectives.importance_weighted_loss(
        log_probability, exact([0.5, 0.25, 0.25]), exact(advantage), ROWS, clip=clip
    )


def test_weights_of_one_are_plain_reinforce() -> None:
    """At pi = propensity the loss is -mean A, and its gradient is that of -mean A log pi."""
    log_probability = exact([0.5, 0.25, 0.25]).log().requires_grad_()
    loss = weighted(log_probability, [1.0, -0.5, 0.25])
    assert loss.detach().item() == pytest.approx(-0.25)
    (gradient,) = torch.autograd.grad(loss.sum(), log_probability)
    assert gradient.tolist() == [pytest.approx([-1 / 3, 0.5 / 3, -0.25 / 3])]


def test_the_clip_stops_a_rewarded_row_and_never_a_punished_one() -> None:
    log_probability = exact([1.0, 0.5, 0.75]).log().requires_grad_()
    loss = weighted(log_probability, [1.0, -1.0, 1.0], clip=2.0)
    assert loss.detach().item() == pytest.approx(-(2.0 - 2.0 + 2.0) / 3)
    (gradient,) = torch.autograd.grad(
        weighted(log_probability, [1.0, -1.0, 1.0], clip=1.5).sum(), log_probability
    )
    assert gradient.tolist() == [pytest.approx([0.0, 2 / 3, 0.0])]


def test_the_clipped_value_is_a_lower_bound() -> None:
    log_probability = exact([0.9, 0.8, 0.1]).log()
    for advantage in ([1.0, 1.0, 1.0], [-1.0, -1.0, -1.0], [1.0, -1.0, 0.5]):
        assert float(weighted(log_probability, advantage, 1.2)) >= float(weighted(log_probability, advantage))


def test_the_weighted_value_is_unbiased() -> None:
    """Over all actions, each as likely as logged, the weighted reward averages to the policy's value."""
    logging, policy, reward = exact([0.2, 0.3, 0.5]), exact([0.6, 0.3, 0.1]), exact([1.0, 0.0, 2.0])
    terms = objectives.weights_of(policy.log(), logging) * reward
    assert float((logging * terms).sum()) == pytest.approx(float((policy * reward).sum()))


def test_divergence_is_the_sum_over_actions_in_expectation() -> None:
    logging, policy = exact([0.2, 0.3, 0.5]), exact([0.6, 0.3, 0.1])
    rows = [
        float(objectives.divergence_from_logging(policy[:, [a]].log(), logging[:, [a]], ROWS[:, :1])[0])
        for a in range(3)
    ]
    expected = float((policy * (policy / logging).log()).sum())
    assert sum(float(m) * row for m, row in zip(logging[0], rows, strict=True)) == pytest.approx(expected)
    assert min(rows) >= 0.0


def test_entropy_and_its_gradient_ignore_what_is_not_available() -> None:
    logits = exact([0.0, 0.0, 0.0]).unsqueeze(0).requires_grad_()
    masked = logits.masked_fill(torch.tensor([False, False, True]), -torch.inf)
    spread = objectives.entropy(torch.log_softmax(masked, -1), ROWS[:, :1])
    assert spread.detach().item() == pytest.approx(math.log(2))
    (gradient,) = torch.autograd.grad(spread.sum(), logits)
    assert bool(torch.isfinite(gradient).all())


def test_padding_changes_no_mean() -> None:
    mask = torch.tensor([[True, True, False]])
    assert float(objectives.masked_mean(exact([1.0, 2.0, 1e9]), mask)[0]) == 1.5
    assert float(objectives.masked_mean(exact([1.0, 2.0, 3.0]), torch.zeros_like(mask))[0]) == 0.0
    assert float(objectives.effective_sample_size(exact([2.0, 2.0, 9.0]), mask)[0]) == pytest.approx(2.0)


def test_effective_sample_size_counts_between_one_and_n() -> None:
    assert float(objectives.effective_sample_size(exact([1.0, 0.0, 0.0]), ROWS)[0]) == 1.0
    assert float(objectives.effective_sample_size(exact([0.0, 0.0, 0.0]), ROWS)[0]) == 0.0


def test_a_perfect_reward_model_needs_no_correction() -> None:
    policy = torch.tensor([[0.25, 0.75]], dtype=torch.float64)
    q_hat = torch.tensor([[0.0, 1.0]], dtype=torch.float64)
    for action, reward in ((0, 0.0), (1, 1.0)):
        terms = objectives.doubly_robust_terms(
            policy, torch.tensor([action]), exact([0.1])[0], exact([reward])[0], q_hat
        )
        assert terms.tolist() == [0.75]


def test_binary_and_real_rewards_have_their_own_likelihood() -> None:
    score, reward = exact([2.0]), exact([1.0])
    binary = objectives.likelihood_loss(score, reward, ROWS[:, :1], is_binary=True)
    assert float(binary[0]) == pytest.approx(-math.log(1 / (1 + math.exp(-2.0))))
    assert float(objectives.likelihood_loss(score, reward, ROWS[:, :1], is_binary=False)[0]) == 0.5


def test_weights_in_the_mask_are_divided_by_the_number_of_rows() -> None:
    assert float(objectives.masked_mean(exact([1.0, 2.0, 9.0]), exact([2.0, 1.0, 0.0]))[0]) == 2.0


def test_implicit_exploration_never_overstates_and_forgets_its_bound_at_zero() -> None:
    logging, policy, reward = exact([0.2, 0.3, 0.5]), exact([0.6, 0.3, 0.1]), exact([1.0, 0.5, 2.0])
    value = float((policy * reward).sum())

    def expected(gamma: float) -> float:
        rows = [
            objectives.implicit_exploration_loss(
                policy[:, [a]].log(), logging[:, [a]], reward[:, [a]], ROWS[:, :1], gamma=gamma
            )
            for a in range(3)
        ]
        return -sum(float(p) * float(row) for p, row in zip(logging[0], rows, strict=True))

    assert expected(0.0) == pytest.approx(value)
    assert expected(0.1) == pytest.approx(0.6 * 0.2 / 0.3 + 0.15 * 0.3 / 0.4 + 0.2 * 0.5 / 0.6)
    assert expected(0.2) < expected(0.1) < value


def test_the_self_normalized_value_moves_with_the_rewards() -> None:
    log_probability, propensity = exact([0.9, 0.2, 0.3]).log(), exact([0.5, 0.25, 0.25])
    plain = objectives.self_normalized_loss(log_probability, propensity, exact([1.0, 0.0, 2.0]), ROWS)
    shifted = objectives.self_normalized_loss(log_probability, propensity, exact([6.0, 5.0, 7.0]), ROWS)
    assert float(shifted[0]) == pytest.approx(float(plain[0]) - 5.0)
    nothing = torch.zeros_like(ROWS)
    assert float(objectives.self_normalized_loss(log_probability, propensity, propensity, nothing)[0]) == 0.0


def test_the_doubly_robust_loss_is_minus_the_mean_of_the_terms_that_evaluation_sums() -> None:
    policy = torch.tensor([[[0.25, 0.75], [0.5, 0.5]]], dtype=torch.float64)
    q_hat = torch.tensor([[[0.1, 0.4], [0.3, 0.2]]], dtype=torch.float64)
    rows = torch.tensor([[0, 1]]), exact([0.5, 0.2]), exact([1.0, 0.0]), q_hat
    terms = objectives.doubly_robust_terms(policy, *rows)
    loss = objectives.doubly_robust_loss(policy.log(), *rows, mask=ROWS[:, :2], clip=math.inf)
    assert float(loss[0]) == pytest.approx(-float(terms.mean()))


def test_an_item_that_is_not_available_leaves_doubly_robust_finite() -> None:
    logits = torch.zeros(1, 1, 3, dtype=torch.float64, requires_grad=True)
    masked = logits.masked_fill(torch.tensor([False, False, True]), -torch.inf)
    loss = objectives.doubly_robust_loss(
        torch.log_softmax(masked, -1),
        torch.tensor([[0]]),
        exact([0.5]),
        exact([1.0]),
        torch.tensor([[[0.2, 0.6, 0.9]]], dtype=torch.float64),
        mask=ROWS[:, :1],
        clip=2.0,
    )
    assert loss.detach().item() == pytest.approx(-(0.4 + 0.8))
    (gradient,) = torch.autograd.grad(loss.sum(), logits)
    assert bool(torch.isfinite(gradient).all())
