"""Exact meta-gradients: MAML and Reptile against closed forms and 60-digit differences, at 1e-12."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from offline_rl import objectives
from offline_rl.meta import maml, reptile

REFERENCE: dict[str, Any] = json.loads(Path(__file__).with_name("meta_gradients.json").read_text())
QUADRATIC, BANDIT = REFERENCE["quadratic"], REFERENCE["linear_softmax_bandit"]

Tensors = dict[str, Tensor]


def exact(values: Any) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def close(found: Tensor, expected: Any) -> bool:
    return torch.allclose(found, exact(expected), rtol=0, atol=1e-12)


def bowl(params: Tensors, batch: Tensors) -> Tensor:
    """0.5 (theta - center)' curvature (theta - center), per task."""
    offset = params["any name: θ"] - batch["center"]
    return 0.5 * torch.einsum("ti,tij,tj->t", offset, batch["curvature"], offset)


def quadratic_tasks() -> tuple[Tensors, Tensors, Tensors]:
    def stack(key: str) -> Tensor:
        return exact([task[key] for task in QUADRATIC["tasks"]])

    start = {"any name: θ": exact(QUADRATIC["theta0"]), "unused": exact([7.0])}
    return (
        start,
        {"curvature": stack("A"), "center": stack("c")},
        {"curvature": stack("Q"), "center": stack("d")},
    )


def bandit_batch(part: str) -> Tensors:
    tasks = [task[part] for task in BANDIT["tasks"]]
    batch = {key: exact([task[key] for task in tasks]) for key in ("x", "mu", "r")}
    batch["a"] = torch.tensor([task["a"] for task in tasks])
    batch["is_support"] = torch.full((len(tasks),), part == "support")
    return batch


def logged_log_probability(params: Tensors, batch: Tensors) -> tuple[Tensor, Tensor]:
    log_probabilities = torch.log_softmax(batch["x"] @ params["W"], dim=-1)
    return log_probabilities, log_probabilities.gather(-1, batch["a"].unsqueeze(-1)).squeeze(-1)


def propensity(batch: Tensors) -> Tensor:
    return batch["mu"].gather(-1, batch["a"].unsqueeze(-1)).squeeze(-1)


def ipw(params: Tensors, batch: Tensors) -> Tensor:
    _, logged = logged_log_probability(params, batch)
    return objectives.importance_weighted_loss(
        logged,
        propensity(batch),
        batch["r"] - BANDIT["baseline"],
        torch.ones_like(batch["r"]),
        clip=torch.inf,
    )


def snips(params: Tensors, batch: Tensors) -> Tensor:
    _, logged = logged_log_probability(params, batch)
    return objectives.self_normalized_loss(logged, propensity(batch), batch["r"], torch.ones_like(logged))


def ipw_of_doubly_robust(params: Tensors, batch: Tensors) -> Tensor:
    """With q_hat = b everywhere, doubly robust is IPS with baseline b, plus b."""
    log_probabilities, _ = logged_log_probability(params, batch)
    values = objectives.doubly_robust_loss(
        log_probabilities,
        batch["a"],
        propensity(batch),
        batch["r"],
        torch.full_like(log_probabilities, BANDIT["baseline"]),
        mask=torch.ones_like(batch["r"]),
        clip=torch.inf,
    )
    return values + BANDIT["baseline"]


def ipw_of_implicit_exploration(params: Tensors, batch: Tensors) -> Tensor:
    """With a propensity lower by gamma, implicit exploration is IPS."""
    _, logged = logged_log_probability(params, batch)
    return objectives.implicit_exploration_loss(
        logged,
        propensity(batch) - 0.05,
        batch["r"] - BANDIT["baseline"],
        torch.ones_like(logged),
        gamma=0.05,
    )


def ipw_kl(params: Tensors, batch: Tensors) -> Tensor:
    log_probabilities, _ = logged_log_probability(params, batch)
    rows = torch.ones_like(batch["r"])
    divergence = (log_probabilities.exp() * (log_probabilities - batch["mu"].log())).sum(-1).mean(-1)
    spread = objectives.entropy(log_probabilities, rows)
    return ipw(params, batch) + BANDIT["beta_kl"] * divergence - BANDIT["entropy_coef"] * spread


def score_surrogate(params: Tensors, batch: Tensors) -> Tensor:
    _, logged = logged_log_probability(params, batch)
    weight = objectives.weights_of(logged, propensity(batch)).detach()
    surrogate = -(weight * (batch["r"] - BANDIT["baseline"]) * logged).mean(-1)
    return torch.where(batch["is_support"], surrogate, ipw(params, batch))


def near_meta_parameters(anchor: Tensor) -> Callable[[Tensors, Tensors], Tensor]:
    """ipw, with the support pulled towards the meta-parameters themselves (Rajeswaran et al. 2019, eq. 3)."""

    def loss(params: Tensors, batch: Tensors) -> Tensor:
        distance = 0.5 * BANDIT["prox_coef"] * (params["W"] - anchor).square().flatten(1).sum(1)
        return ipw(params, batch) + torch.where(batch["is_support"], distance, 0.0)

    return loss


LOSSES = {
    "ipw": ipw,
    "snips": snips,
    "ipw_kl": ipw_kl,
    "ipw as doubly robust": ipw_of_doubly_robust,
    "ipw as implicit exploration": ipw_of_implicit_exploration,
}


@pytest.mark.parametrize("order", ["maml", "fomaml"])
def test_quadratic_tasks_match_the_closed_form(order: str) -> None:
    start, support, query = quadratic_tasks()
    value, gradient = maml.meta_gradient(
        bowl,
        start,
        support,
        query,
        inner_lr=QUADRATIC["inner_lr"],
        inner_steps=QUADRATIC["inner_steps"],
        first_order=order == "fomaml",
    )
    assert close(value, QUADRATIC["meta_objective"])
    assert close(gradient["any name: θ"], QUADRATIC[order])
    assert gradient["unused"].tolist() == [0.0]
    assert gradient["unused"].dtype == torch.float64


def test_reptile_matches_the_closed_form_on_quadratic_tasks() -> None:
    start, support, _ = quadratic_tasks()
    direction = reptile.meta_gradient(
        bowl, start, support, inner_lr=QUADRATIC["inner_lr"], inner_steps=QUADRATIC["inner_steps"]
    )
    assert close(direction["any name: θ"], QUADRATIC["reptile"])
    assert direction["unused"].tolist() == [0.0]


def bandit_gradient(
    loss: Callable[[Tensors, Tensors], Tensor], start: Tensor, *, first_order: bool = False
) -> tuple[Tensor, Tensor]:
    value, gradient = maml.meta_gradient(
        loss,
        {"W": start},
        bandit_batch("support"),
        bandit_batch("query"),
        inner_lr=BANDIT["inner_lr"],
        inner_steps=BANDIT["inner_steps"],
        first_order=first_order,
    )
    return value, gradient["W"]


@pytest.mark.parametrize("order", ["maml", "fomaml"])
@pytest.mark.parametrize("name", LOSSES)
def test_softmax_bandit_matches_sixty_digit_differences(name: str, order: str) -> None:
    expected = BANDIT["results"][name.split(" as ", maxsplit=1)[0]]
    value, gradient = bandit_gradient(LOSSES[name], exact(BANDIT["W0"]), first_order=order == "fomaml")
    assert close(value, expected["meta_objective"])
    assert close(gradient, expected[order])


@pytest.mark.parametrize("order", ["maml", "fomaml"])
def test_a_loss_may_refer_to_the_meta_parameters(order: str) -> None:
    expected = BANDIT["results"]["ipw_prox"]
    start = exact(BANDIT["W0"]).requires_grad_()
    value, gradient = bandit_gradient(near_meta_parameters(start), start, first_order=order == "fomaml")
    assert close(value, expected["meta_objective"])
    assert close(gradient, expected[order])


def test_the_score_surrogate_is_right_to_first_order_and_wrong_to_second() -> None:
    start, expected = exact(BANDIT["W0"]), BANDIT["results"]["ipw"]
    _, first = bandit_gradient(score_surrogate, start, first_order=True)
    assert close(first, expected["fomaml"])
    _, second = bandit_gradient(score_surrogate, start)
    assert close(second, BANDIT["results"]["score_surrogate"]["maml"])
    error = (second - exact(expected["maml"])).norm() / exact(expected["maml"]).norm()
    assert error > 0.1


def test_float32_agrees_to_single_precision() -> None:
    batches = [
        {
            key: value.float() if value.is_floating_point() else value
            for key, value in bandit_batch(part).items()
        }
        for part in ("support", "query")
    ]
    start = {"W": exact(BANDIT["W0"]).float()}
    _, gradient = maml.meta_gradient(ipw, start, *batches, inner_lr=0.7, inner_steps=2)
    expected = exact(BANDIT["results"]["ipw"]["maml"]).float()
    torch.testing.assert_close(gradient["W"], expected, rtol=1e-5, atol=1e-6)
