"""Short sessions: the first step earns nothing by itself, and per-decision weights teach it all the same.

A session shows one of two items (step 0, no reward), and where the visitor put it in the cart, one of two
offers (step 1, bought or not).  In shop A item 0 is the one that is put in carts, in shop B item 1; the
offer that sells is 0 in both.  Logged uniformly, half of the sessions end after the first step.
"""

from itertools import product

import pytest
import torch
from torch import Tensor

from offline_rl import objectives
from offline_rl.meta.adaptation import adapt, differentiable
from offline_rl.meta.maml import meta_gradient
from offline_rl.meta.reinforce import pooled_gradient
from offline_rl.two_tower import with_task_dimension

Batch = dict[str, Tensor]

CART = torch.tensor([[0.9, 0.1], [0.1, 0.9]], dtype=torch.float64)
"""P(put in the cart) of each item, in shops A and B."""
BUY = torch.tensor([0.8, 0.2], dtype=torch.float64)
"""P(bought) of each offer."""
DISCOUNT = 0.9


def log_sessions(shop: int, sessions: int, seed: int) -> Batch:
    """One task [1, N, H = 2], logged under uniform choices."""
    generator = torch.Generator().manual_seed(seed)
    action = torch.randint(2, (1, sessions, 2), generator=generator)
    luck = torch.rand(1, sessions, 2, generator=generator, dtype=torch.float64)
    carted = luck[..., 0] < CART[shop][action[..., 0]]
    bought = carted & (luck[..., 1] < BUY[action[..., 1]])
    return {
        "action": action,
        "reward": torch.stack([torch.zeros_like(bought), bought], -1).double(),
        "propensity": torch.full((1, sessions, 2), 0.5, dtype=torch.float64),
        "mask": torch.stack([torch.ones_like(carted), carted], -1),
    }


def together(*tasks: Batch) -> Batch:
    return {name: torch.cat([task[name] for task in tasks]) for name in tasks[0]}


def step_log_probabilities(params: Batch, batch: Batch) -> Tensor:
    """log pi of the logged action of each step: params["logits"] is [T, 2 steps, 2 actions]."""
    chances = torch.log_softmax(params["logits"], -1).unsqueeze(1).expand(*batch["action"].shape, 2)
    return chances.gather(-1, batch["action"].unsqueeze(-1)).squeeze(-1)


def per_decision(params: Batch, batch: Batch) -> Tensor:
    baseline = torch.tensor([0.25 * DISCOUNT, 0.5], dtype=torch.float64)
    return objectives.per_decision_loss(
        step_log_probabilities(params, batch),
        batch["propensity"],
        batch["reward"],
        baseline,
        batch["mask"],
        discount=DISCOUNT,
    )


def each_step_for_itself(params: Batch, batch: Batch) -> Tensor:
    """What a bandit would minimize: each step's own reward, weighted by its own decision."""
    logged = step_log_probabilities(params, batch).flatten(1)
    propensity, reward, mask = (batch[name].flatten(1) for name in ("propensity", "reward", "mask"))
    return objectives.importance_weighted_loss(logged, propensity, reward, mask, clip=torch.inf)


def indifferent() -> Batch:
    return {"logits": torch.zeros(2, 2, dtype=torch.float64)}


def value(params: Batch, shop: int) -> float:
    """True discounted purchases per session: pi(carted) * discount * pi(bought)."""
    first, second = torch.softmax(params["logits"].detach(), -1)
    return DISCOUNT * float(first @ CART[shop]) * float(second @ BUY)


BEST = DISCOUNT * 0.9 * 0.8


def reinforce(loss: object, shop: int, steps: int = 300) -> Batch:
    params, log = indifferent(), log_sessions(shop, 500, seed=1)
    for _ in range(steps):
        _, gradient = pooled_gradient(loss, params, log)  # type: ignore[arg-type]
        params = {"logits": params["logits"] - 2.0 * gradient["logits"]}
    return params


@pytest.mark.parametrize("shop", [0, 1])
def test_reinforce_learns_the_step_that_pays_only_through_the_next(shop: int) -> None:
    learned = reinforce(per_decision, shop)
    assert value(learned, shop) > 0.9 * BEST
    assert int(learned["logits"][0].argmax()) == shop
    assert int(learned["logits"][1].argmax()) == 0


@pytest.mark.parametrize("shop", [0, 1])
def test_step_by_step_rewards_never_teach_the_first_step(shop: int) -> None:
    learned = reinforce(each_step_for_itself, shop)
    torch.testing.assert_close(learned["logits"][0], torch.zeros(2, dtype=torch.float64))
    assert value(learned, shop) < 0.6 * BEST


def test_maml_learns_to_tell_the_shops_apart_from_their_sessions() -> None:
    inner = {"inner_lr": 8.0, "inner_steps": 3}
    params = indifferent()
    for step in range(60):
        support, query = (
            together(*(log_sessions(shop, 60, seed=1000 * part + 10 * step + shop) for shop in (0, 1)))
            for part in (1, 2)
        )
        _, gradient = meta_gradient(per_decision, params, support, query, **inner)
        params = {"logits": params["logits"] - gradient["logits"]}

    def adapted(start: Batch, shop: int) -> Batch:
        support = log_sessions(shop, 60, seed=9000 + shop)
        after = adapt(
            per_decision, with_task_dimension(differentiable(start), 1), support, create_graph=False, **inner
        )
        return {"logits": after["logits"][0].detach()}

    for shop in (0, 1):
        assert value(adapted(params, shop), shop) > 0.85 * BEST
        assert value(params, shop) < 0.65 * BEST
        assert value(adapted(params, shop), shop) > value(adapted(indifferent(), shop), shop)


def test_per_decision_weights_are_unbiased_whatever_the_baseline() -> None:
    """Every session that can happen, weighted by its probability under uniform logging: the exact value."""
    params = {"logits": torch.tensor([[[0.7, -0.2], [0.1, 0.9]]], dtype=torch.float64)}
    rows, chances = [], []
    for a0, a1, carted, bought in product(range(2), range(2), range(2), range(2)):
        chance = 0.25 * (CART[0][a0] if carted else 1 - CART[0][a0])
        if carted:
            chance = chance * (BUY[a1] if bought else 1 - BUY[a1])
        elif a1 or bought:
            continue  # the session has ended: no second step to enumerate
        else:
            chance = chance * 2.0
        chances.append(float(chance))
        rows.append((a0, a1, carted, bought))
    table = torch.tensor(rows)
    batch = {
        "action": table[:, :2].unsqueeze(1),
        "reward": torch.stack([torch.zeros(len(rows)), table[:, 3]], -1).double().unsqueeze(1),
        "propensity": torch.full((len(rows), 1, 2), 0.5, dtype=torch.float64),
        "mask": torch.stack([torch.ones(len(rows)), table[:, 2]], -1).bool().unsqueeze(1),
    }
    each = with_task_dimension({"logits": params["logits"][0]}, len(rows))
    assert sum(chances) == pytest.approx(1.0)
    for baseline in ([0.0, 0.0], [0.3, 0.5], [-2.0, 7.0]):
        values = objectives.per_decision_loss(
            step_log_probabilities(each, batch),
            batch["propensity"],
            batch["reward"],
            torch.tensor(baseline, dtype=torch.float64),
            batch["mask"],
            discount=DISCOUNT,
        )
        expected = -float(torch.tensor(chances, dtype=torch.float64) @ values)
        assert expected == pytest.approx(value({"logits": params["logits"][0]}, 0))


def test_padding_sessions_and_steps_change_nothing_and_the_product_is_capped() -> None:
    log = log_sessions(0, 20, seed=3)
    params = {"logits": torch.tensor([[[2.0, -1.0], [0.5, 0.0]]], dtype=torch.float64)}
    padded = {
        name: torch.nn.functional.pad(tensor, (0, 1, 0, 4), value=1 if name == "propensity" else 0)
        for name, tensor in log.items()
    }

    def loss(batch: Batch, clip: float) -> Tensor:
        leaves = {"logits": torch.cat([params["logits"], params["logits"][:, :1]], 1)}
        leaves["logits"].requires_grad_()
        width = batch["action"].shape[-1]
        short = {"logits": leaves["logits"][:, :width]}
        values = objectives.per_decision_loss(
            step_log_probabilities(short, batch),
            batch["propensity"],
            batch["reward"],
            torch.zeros(width, dtype=torch.float64),
            batch["mask"],
            clip=clip,
        )
        (gradient,) = torch.autograd.grad(values.sum(), leaves["logits"])
        return torch.cat([values.detach(), gradient.flatten()])

    torch.testing.assert_close(loss(padded, torch.inf), loss(log, torch.inf))
    assert float(loss(log, 1.5)[0]) > float(loss(log, torch.inf)[0])
    assert float(loss(log, 1.5)[0]) >= -1.5
